// A customer, an order in brackets, an order accepted twice, an invoice made and cancelled, and a stranger.
import WHMCS from "whmcs";
import { sandbox, say } from "../facts.mjs";

const serverUrl = `${sandbox.whmcs_url}/includes/api.php`;
const client = new WHMCS({ serverUrl, username: sandbox.whmcs_identifier, password: sandbox.whmcs_secret });
const legacy = new WHMCS({ serverUrl, username: "admin", password: sandbox.admin_md5, apiKey: sandbox.access_key });
const stranger = new WHMCS({ serverUrl, username: "nobody", password: "x" });

/** Calls one of the client's methods, which hand their result to a callback. */
function ask(whmcs, area, method, ...args) {
  return new Promise((resolve, reject) => {
    whmcs[area][method](...args, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

async function refusal(name, asked) {
  const message = await asked.then(() => "", (error) => error.message);
  say({ [name]: message });
}

const person = {
  firstname: "恵美",
  lastname: "Sato",
  email: sandbox.email,
  address1: "3-12-8 Shibaura",
  city: "Minato-ku",
  state: "Tokyo",
  postcode: "108-0023",
  country: "JP",
  phonenumber: "090-1234-5678",
  password2: "x",
  noemail: true,
};
const { clientid } = await ask(client, "customers", "createCustomer", person);
const { client: found } = await ask(legacy, "customers", "getCustomer", clientid, {});
say({ customer: found.fullname });
await refusal("twice", ask(client, "customers", "createCustomer", person));

const lines = { "pid[0]": 101, "pid[1]": 191, paymentmethod: "stripe" };
const order = await ask(client, "billing", "addOrder", clientid, lines);
const last = await ask(client, "billing", "addOrder", clientid, { pid: [101, 191], paymentmethod: "stripe" });
say({ services: [order, last].map((each) => each.serviceids.split(",").length) });
say({ accepted: (await ask(client, "billing", "acceptOrder", order.orderid, {})).result });
await refusal("again", ask(client, "billing", "acceptOrder", order.orderid, {}));

const item = { itemdescription1: "Cable", itemamount1: 500, itemtaxed1: 1, paymentmethod: "stripe" };
const { invoiceid } = await ask(client, "billing", "createInvoice", clientid, item);
await ask(client, "billing", "updateInvoice", invoiceid, { status: "Cancelled" });
const invoice = await ask(client, "billing", "getInvoice", invoiceid);
const { totalresults } = await ask(client, "billing", "getInvoices", { userid: clientid });
say({ invoice: [invoice.status, invoice.items.item[0].description], invoices: totalresults });
await refusal("stranger", ask(stranger, "billing", "getInvoice", invoiceid));
