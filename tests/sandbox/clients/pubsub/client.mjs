// What every script has in common: the client as its manual shows it, and callbacks that can be awaited.
import { readFileSync } from "node:fs";
import PubSubApiClient from "salesforce-pubsub-api-client";
import { sandbox, say } from "../facts.mjs";

export { sandbox, say };
export const TOPIC = "/event/OrderProvisionRequested__e";
const WITHIN_MS = 15000;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

export const byKey = {
  authType: "oauth-jwt-bearer",
  loginUrl: sandbox.salesforce_url,
  clientId: sandbox.salesforce_client_id,
  username: sandbox.salesforce_username,
  privateKey: readFileSync(sandbox.salesforce_key, "utf8"),
};

export async function connected(auth = byKey) {
  // The client brings its own list of authorities and has no option for another one; TLS it is all the same.
  const config = { ...auth, pubSubEndpoint: sandbox.pubsub_endpoint, rejectUnauthorizedSsl: false };
  const client = new PubSubApiClient(config, silent);
  await client.connect();
  return client;
}

// A callback for the client; `next(type)` waits for the next call of this type and returns what came with it.
export function listener() {
  const heard = [];
  let wake = () => {};
  const callback = (subscription, type, data) => {
    heard.push({ subscription: { ...subscription }, type, data });
    wake();
  };
  const next = async (type) => {
    const deadline = Date.now() + WITHIN_MS;
    for (;;) {
      const at = heard.findIndex((each) => each.type === type);
      if (at >= 0) return heard.splice(at, 1)[0];
      if (Date.now() > deadline) throw new Error(`no ${type}, only ${heard.map((each) => each.type)}`);
      await new Promise((resolve) => {
        wake = resolve;
        setTimeout(resolve, 200);
      });
    }
  };
  // In the order of the bus: the client fetches a schema for each response until it has it, and the answers may
  // overtake each other, so that the callbacks of the first events come in any order.
  const several = async (type, count) => {
    const found = [];
    while (found.length < count) found.push(await next(type));
    return found.sort((one, other) => Number(one.data.replayId) - Number(other.data.replayId));
  };
  return { callback, next, several, types: () => heard.map((each) => each.type) };
}

// A payload as the client's manual shows it: unions name their type.
export const payload = (order) => ({
  CreatedDate: Date.now(),
  CreatedById: "005000000000000AAA",
  OrderId__c: { string: order },
  IdemKey__c: null,
  CorrelationId__c: null,
  RequestedBy__c: null,
  Version__c: { double: 3 },
});

export async function main(act) {
  const client = await act();
  client?.close();
  process.exit(0);
}
