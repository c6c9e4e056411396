// What the client tells its user when the server says no.
import { TOPIC, byKey, connected, listener, main, payload, sandbox, say } from "./client.mjs";

const stale = {
  authType: "user-supplied",
  accessToken: `${sandbox.organization_id}!stale`,
  instanceUrl: sandbox.salesforce_url,
};

async function refusal(client, topic) {
  const heard = listener();
  client.subscribe(topic, heard.callback, 1);
  const { data } = await heard.next("error");
  return { code: data.code, details: data.details, trailers: data.metadata.toJSON() };
}

await main(async () => {
  const client = await connected();
  say({ badTopic: await refusal(client, "/event/Nothing__e") });
  const corrupted = listener();
  client.subscribeFromReplayId(TOPIC, corrupted.callback, 1, 4611686018427388000);
  say({ badReplayId: (await corrupted.next("error")).data.code });
  await client.publish("/event/Nothing__e", {}).catch((error) => say({ publish: error.cause.code }));
  await client.publish(TOPIC, { ...payload("x"), Version__c: { string: "3" } }).catch(() => say({ invalid: true }));
  say({ badToken: await refusal(await connected(stale), TOPIC) });
  await connected({ ...byKey, username: "nobody@example.com" }).catch((error) => say({ login: error.cause.message }));
  return client;
});
