// Every way to sign in: SOAP, OAuth with a password, a signed assertion; who one is then; and signing out.
import { createSign } from "node:crypto";
import { readFileSync } from "node:fs";
import { connected, jsforce, refusal, sandbox, say } from "./connection.mjs";

const oauth2 = {
  loginUrl: sandbox.salesforce_url,
  clientId: sandbox.salesforce_client_id,
  clientSecret: sandbox.salesforce_client_secret,
};

function assertion() {
  const coded = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + 180;
  const claims = { iss: oauth2.clientId, sub: sandbox.salesforce_username, aud: "https://login.salesforce.com", exp };
  const unsigned = `${coded({ alg: "RS256" })}.${coded(claims)}`;
  return `${unsigned}.${createSign("RSA-SHA256").update(unsigned).sign(readFileSync(sandbox.salesforce_key), "base64url")}`;
}

const bySoap = await connected();
const byOauth = await connected({ oauth2 });
const byKey = new jsforce.Connection({ oauth2 });
const grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const user = await byKey.authorize({ grant_type, assertion: assertion() });
say({ users: [bySoap.user, byOauth.user, user] });
for (const connection of [bySoap.connection, byOauth.connection, byKey]) {
  const { username, organization_id, user_id } = await connection.identity();
  say({ instanceUrl: connection.instanceUrl, username, organization_id, user_id });
}
await refusal("wrong", () => new jsforce.Connection({ loginUrl: sandbox.salesforce_url }).login("nobody@x.jp", "x"));
const spent = { instanceUrl: byKey.instanceUrl, accessToken: byKey.accessToken };
await byKey.logout();
await refusal("signed out", () => new jsforce.Connection(spent).query("SELECT Id FROM Account"));
