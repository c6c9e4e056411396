// The managed subscription of managed.mjs, by its id, in a new process; one that is stopped, and one that is not there.
import { connected, listener, main, sandbox, say } from "./client.mjs";

await main(async () => {
  const client = await connected();
  const live = listener();
  await client.subscribeWithManagedSubscription(sandbox.managed_id, live.callback, 3);
  const events = await live.several("event", 3);
  say({ resumed: events.map((entry) => entry.data.payload.OrderId__c) });
  for (const name of [sandbox.stopped_name, "Nobody"]) {
    await client
      .subscribeWithManagedSubscription(name, live.callback, 1)
      .catch((error) => say({ name, refused: error.message }));
  }
  return client;
});
