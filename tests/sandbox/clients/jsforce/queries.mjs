// More rows than a page holds, made in several calls and fetched to the end; and how many calls were counted.
import { connected, sandbox, say } from "./connection.mjs";

const { connection } = await connected();
const rows = Array.from({ length: 450 }, (_, n) => ({ Name: `Page ${String(n).padStart(3, "0")}`, Fax: sandbox.ref }));
const made = await connection.sobject("Account").create(rows, { allowRecursive: true });
say({ made: made.filter((each) => each.success).length });

const soql = `SELECT Name FROM Account WHERE Fax = '${sandbox.ref}' ORDER BY Name`;
const options = { autoFetch: true, maxFetch: 1000, headers: { "Sforce-Query-Options": "batchSize=200" } };
const whole = await connection.query(soql, options);
say({ totalSize: whole.totalSize, done: whole.done, names: whole.records.map((each) => each.Name) });

const first = await connection.query(soql, { headers: options.headers });
const second = await connection.queryMore(first.nextRecordsUrl);
say({ pages: [first.records.length, second.records.length], done: second.done });

const { DailyApiRequests } = await connection.limits();
say({ max: DailyApiRequests.Max, limit: connection.limitInfo.apiUsage.limit });
