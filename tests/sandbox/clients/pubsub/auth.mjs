// Every way to sign in that the client has and the sandbox knows; each is proved by a publication.
import { TOPIC, byKey, connected, main, payload, sandbox, say } from "./client.mjs";

const ways = {
  "oauth-jwt-bearer": byKey,
  "user-supplied": {
    authType: "user-supplied",
    accessToken: sandbox.access_token,
    instanceUrl: sandbox.salesforce_url,
  },
  "username-password": {
    authType: "username-password",
    loginUrl: sandbox.salesforce_url,
    username: sandbox.salesforce_username,
    password: sandbox.salesforce_password,
  },
};

await main(async () => {
  for (const [name, auth] of Object.entries(ways)) {
    const client = await connected(auth);
    const result = await client.publish(TOPIC, payload(`801-${name}`), name);
    say({ way: name, replayId: result.replayId, correlationKey: result.correlationKey });
    client.close();
  }
});
