// Change events, which the client decodes: bitmaps become names, unions become values.
import { connected, listener, main, say } from "./client.mjs";

await main(async () => {
  const client = await connected();
  const live = listener();
  client.subscribe("/data/AccountChangeEvent", live.callback, 10);
  await live.next("grpcKeepAlive");
  say({ ready: true });
  for (const { data } of await live.several("event", 4)) say({ replayId: data.replayId, payload: data.payload });
  return client;
});
