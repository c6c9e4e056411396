// A managed subscription by name, with a commit. Somebody who restarts (`resume.mjs`) goes on behind it.
import { TOPIC, connected, listener, main, payload, sandbox, say } from "./client.mjs";

const order = (entry) => entry.data.payload.OrderId__c;

await main(async () => {
  const client = await connected();
  const live = listener();
  await client.subscribeWithManagedSubscription(sandbox.managed_name, live.callback, 5);
  const { subscription } = await live.next("grpcKeepAlive");
  for (const name of ["one", "two", "three"]) await client.publish(TOPIC, payload(name));
  const events = await live.several("event", 3);
  const request = client.commitReplayId(subscription.subscriptionId, events[0].data.replayId);
  say({ delivered: events.map(order), info: events[2].subscription, request, committed: events[0].data.replayId });
  await live.next("grpcKeepAlive"); // so is the response to a commit to this client
  client.requestAdditionalManagedEvents(subscription.subscriptionId, 3);
  await client.publish(TOPIC, payload("four"));
  say({ additional: (await live.several("event", 1)).map(order) });
  return client;
});
