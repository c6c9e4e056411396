// Publishing in a batch: answers in order, and keep-alives of the stream.
import { TOPIC, connected, listener, main, payload, say } from "./client.mjs";

await main(async () => {
  const client = await connected();
  const batch = listener();
  const events = ["one", "two", "three"].map((name) => ({ id: `batch-${name}`, payload: payload(name) }));
  await client.publishBatch(TOPIC, events, batch.callback);
  const answer = await batch.next("publishResponse");
  say({ keys: answer.data.results.map((each) => each.correlationKey) });
  await batch.next("grpcKeepAlive");
  await client.publishBatch(TOPIC, events.slice(0, 1), batch.callback);
  const second = await batch.next("publishResponse");
  say({ keys: second.data.results.map((each) => each.correlationKey), schemaId: second.data.schemaId });
  return client;
});
