// What every script begins and ends with: the sandbox's `ready` line with what a test adds to it, and JSON to say.
export const sandbox = JSON.parse(process.env.SANDBOX);

export function say(facts) {
  const plain = (_, value) => (typeof value === "bigint" ? value.toString() : value);
  process.stdout.write(`${JSON.stringify(facts, plain)}\n`);
}
