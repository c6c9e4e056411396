// What every script has in common: a connection by username and password, as jsforce's manual begins with.
import jsforce from "jsforce";
import { sandbox, say } from "../facts.mjs";

export { jsforce, sandbox, say };

export async function connected(options = {}) {
  const connection = new jsforce.Connection({ loginUrl: sandbox.salesforce_url, version: "62.0", ...options });
  const user = await connection.login(sandbox.salesforce_username, sandbox.salesforce_password);
  return { connection, user };
}

// Says what an error is called, under this name; says so too when there is none.
export async function refusal(name, act) {
  try {
    await act();
    say({ [name]: "no error" });
  } catch (error) {
    say({ [name]: error.errorCode ?? error.name, message: error.message });
  }
}
