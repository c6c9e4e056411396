// Records one by one and many at once, what the org says of them, and trees.
import { connected, refusal, sandbox, say } from "./connection.mjs";

const { connection } = await connected();
const accounts = connection.sobject("Account");
const ref = sandbox.ref;

const made = await accounts.create({ Name: "One", Portal_Ref__c: ref });
const changed = await accounts.update({ Id: made.id, Phone: "03-5550-0101" });
const upserted = await accounts.upsert({ Portal_Ref__c: ref, Fax: "2" }, "Portal_Ref__c");
const { Name, Phone, Fax } = await accounts.retrieve(made.id);
say({ made, changed, upserted, read: { Name, Phone, Fax } });

const rows = [{ Portal_Ref__c: ref, Fax: "3" }, { Portal_Ref__c: `${ref}-2`, Name: "Two" }, { Portal_Ref__c: `${ref}-3` }];
say({ upsertedMany: await accounts.upsert(rows, "Portal_Ref__c") });
say({ allOrNone: await accounts.create([{ Name: "Three", Portal_Ref__c: `${ref}-3` }, {}], { allOrNone: true }) });
const found = await accounts.find({ Portal_Ref__c: { $like: `${ref}%` } }, "Id, Fax").sort("Name");
say({ found: found.map((each) => each.Fax), retrieved: (await accounts.retrieve([made.id, found[1].Id])).length });

const child = { attributes: { type: "Contact", referenceId: "contact" }, LastName: "Leaf" };
const root = { attributes: { type: "Account", referenceId: "account" }, Name: "Tree", Contacts: { records: [child] } };
const tree = await connection.requestPost("/composite/tree/Account", { records: [root] });
const planted = tree.results.map((each) => each.id);
const leaf = await connection.query(`SELECT AccountId FROM Contact WHERE Id = '${planted[1]}'`);
say({ tree, linked: leaf.records[0].AccountId === planted[0] });
await refusal("bare tree", () => connection.requestPost("/composite/tree/Account", { records: [{ ...root, Name: "" }] }));

const described = await accounts.describe();
const everything = await connection.describeGlobal();
say({ keyPrefix: described.keyPrefix, children: described.childRelationships.length > 0 });
say({ objects: everything.sobjects.map((each) => each.name) });

say({ destroyed: await accounts.destroy([made.id, found[1].Id]), again: await accounts.destroy([made.id]) });
await refusal("gone", () => accounts.retrieve(made.id));
await refusal("no column", () => connection.query("SELECT Nope FROM Account"));
