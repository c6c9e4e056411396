// Subscribing: what comes from now on, the last event of a number, more of them, keep-alives, from the earliest event,
// from a stored replay id, and without end.
import { TOPIC, connected, listener, main, payload, say } from "./client.mjs";

const order = (entry) => entry.data.payload.OrderId__c;

await main(async () => {
  const client = await connected();
  const live = listener();
  client.subscribe(TOPIC, live.callback, 2);
  await live.next("grpcKeepAlive"); // the subscription stands
  const published = [];
  for (const name of ["one", "two", "three", "four"]) published.push(await client.publish(TOPIC, payload(name)));
  const first = await live.several("event", 2);
  const last = await live.next("lastEvent");
  say({ latest: first.map(order), info: last.subscription, version: first[0].data.payload.Version__c });
  client.requestAdditionalEvents(TOPIC, 2);
  say({ additional: (await live.several("event", 2)).map(order), replayIds: published.map((each) => each.replayId) });
  await live.next("lastEvent");
  client.close();

  const again = await connected();
  const later = listener();
  again.subscribeFromReplayId(TOPIC, later.callback, 2, published[1].replayId);
  say({ fromReplayId: (await later.several("event", 2)).map(order) });
  again.close();

  const third = await connected();
  const whole = listener();
  third.subscribeFromEarliestEvent(TOPIC, whole.callback); // without end: it asks for a hundred again and again
  const names = [];
  while (names.at(-1) !== "four") names.push(order(await whole.next("event")));
  await whole.next("grpcKeepAlive");
  say({ fromEarliest: names, connectivity: await third.getConnectivityState() });
  return third;
});
