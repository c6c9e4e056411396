"""Orders, services and money against the official reference: parameter names and response fields (whmcs-actions)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.config import Config
from sandbox.whmcs import actions
from sandbox.whmcs.actions.documented import documented
from sandbox.whmcs.api import Call, answer
from sandbox.whmcs.cards import TEST_NUMBER, add_card
from sandbox.whmcs.php import parse_urlencoded
from sandbox.world import World
from tests.sandbox.whmcs.conftest import CREDENTIALS
from tests.sandbox.whmcs.documentation import Seen, Watched, parameters_of
from tests.sandbox.whmcs.php_arrays import packed

ALIASES = {"accountid"}
"""Names from before 7.7 that still work."""
FURTHER = {"AddOrder": {"notes"}}
"""Not documented, and kept by some installations."""
ABSENT = {
    "GetProducts": {"startnumber", "numreturned"},  # in the table of the reference, not in its sample (§1.5)
    "AddBillableItem": {"result"},  # the sample says `status` (§1.5)
}

CARE = {"id": 8, "name": "Care", "price": 220}
COMMON = {"clientid": 1, "paymentmethod": "stripe"}
ITEM = {"clientid": 1, "description": "x", "amount": 1}
SCENARIO: list[tuple[str, dict[str, Any]]] = [
    ("GetProducts", {"pid": 101, "gid": 1, "module": "sonixprov"}),
    ("GetCurrencies", {}),
    ("GetPaymentMethods", {}),
    ("AddCredit", {"clientid": 1, "description": "x", "amount": "50000"}),
    ("AddOrder", COMMON | {"pid[0]": 101, "qty[0]": 1, "addons[0]": "8", "addonsqty[0]": 1, "promocode": "NONE"}),
    ("AcceptOrder", {"orderid": 1, "serverid": 1, "sendemail": 1, "autosetup": 1}),
    ("AddInvoicePayment", {"invoiceid": 1, "transid": "t", "gateway": "stripe", "date": "2026-11-21"}),
    ("AddOrder", COMMON | {"servicerenewals[]": 1}),
    ("AddOrder", COMMON | {"addonids[]": 8, "serviceids[]": 1, "domaintype[0]": "x", "domaintype[1]": "x"}),
    ("AddOrder", COMMON | {"addonid": 8, "serviceid": 1, "addonidqty": 1, "promocode": "NONE", "pid": 101}),
    ("GetOrders", {"id": 1, "userid": 1, "requestor_id": 1, "status": "Active"}),
    ("GetOrderStatuses", {}),
    ("OrderFraudCheck", {"orderid": 2, "ipaddress": "192.0.2.1"}),
    ("PendingOrder", {"orderid": 2}),
    ("CancelOrder", {"orderid": 2}),
    ("FraudOrder", {"orderid": 3}),
    ("DeleteOrder", {"orderid": 3}),
    ("GetPromotions", {"code": "NONE"}),
    ("GetQuotes", {}),
    ("GetClientsProducts", {"clientid": 1, "serviceid": 1, "pid": 101}),
    ("GetClientsDomains", {"clientid": 1, "domainid": 1}),
    ("UpdateClientProduct", {"serviceid": 1, "pid": 101, "nextduedate": "2027-01-01", "status": "Active"}),
    ("UpgradeProduct", {"serviceid": 1, "paymentmethod": "stripe", "type": "product", "newproductid": 103}),
    ("UpgradeProduct", {"serviceid": 1, "paymentmethod": "stripe", "type": "configoptions", "calconly": 1}),
    ("GetClientsAddons", {"clientid": 1, "serviceid": 1, "addonid": 8}),
    ("UpdateClientAddon", {"id": 1, "status": "Active", "nextduedate": "2027-01-01"}),
    ("ModuleChangePackage", {"serviceid": 1}),
    ("ModuleChangePw", {"serviceid": 1, "servicepassword": "x"}),
    ("ModuleCustom", {"serviceid": 1, "func_name": "resync"}),
    ("ModuleSuspend", {"serviceid": 1, "suspendreason": "x"}),
    ("ModuleUnsuspend", {"serviceid": 1}),
    ("ModuleTerminate", {"serviceid": 1}),
    ("ModuleCreate", {"serviceid": 1}),
    ("GetModuleQueue", {"relatedId": 1, "serviceType": "service", "since": "2026-01-01"}),
    ("AddCancelRequest", {"serviceid": 1, "type": "Immediate", "reason": "x"}),
    ("GetCancelledPackages", {"limitnum": 1}),
    ("CreateInvoice", {"userid": 1, "itemdescription1": "x", "itemamount1": 1, "itemtaxed1": 1}),
    ("CreateInvoice", {"userid": 1, "itemdescription1": "x", "itemamount1": 9, "itemtaxed1": 1}),
    ("UpdateInvoice", {"invoiceid": 1, "datepaid": "2026-11-21", "credit": "0"}),
    ("GetInvoices", {"userid": 1, "status": "Unpaid", "orderby": "id", "order": "desc"}),
    ("GetInvoice", {"invoiceid": 1}),
    ("ApplyCredit", {"invoiceid": "LAST", "amount": "1"}),
    ("CapturePayment", {"invoiceid": "LAST"}),
    ("GetCredits", {"clientid": 1}),
    (
        "AddBillableItem",
        ITEM
        | {"unit": "hours", "invoiceaction": "recur", "recur": 1}
        | {"recurcycle": "Days", "recurfor": 1, "duedate": "2027-01-01"},
    ),
    (
        "AddBillableItem",
        {"clientid": 1, "description": "x", "amount": 1, "unit": "quantity", "invoiceaction": "nextcron"},
    ),
    ("GenInvoices", {"clientid": 1}),
    ("AddTransaction", {"userid": 1, "paymentmethod": "x", "currencyid": 1, "transid": "u", "date": "2026-11-21"}),
    ("GetTransactions", {"invoiceid": 1, "clientid": 1}),
    ("UpdateTransaction", {"transactionid": 1, "transid": "v"}),
    ("GetAutomationLog", {"startdate": "2026-11-21", "enddate": "2026-11-21", "namespace": "x"}),
]
ACTIONS = sorted({action for action, _ in SCENARIO})


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Seen]]:
    """Everything the scenario showed, by action."""
    world = World(Config(state=Path(tmp_path_factory.mktemp("whmcs"))))
    world.whmcs.configure(addons=[CARE], fraud_module="x", auto_apply_credit=False, allow_qty={"101": 1})
    client = {"firstname": "A", "lastname": "T", "email": "a@example.jp", "password2": "x", "skipvalidation": 1}
    _played(world, "AddClient", client)
    with world.whmcs.caller(""):
        add_card(world.whmcs, 1, TEST_NUMBER, "12/40")
    found: dict[str, Seen] = {}
    for action, fields in SCENARIO:
        form, payload = _played(world, action, fields)
        found.setdefault(action, Seen()).take(form, payload)
    yield found
    world.close()


def _played(world: World, action: str, fields: dict[str, Any]) -> tuple[Watched, dict[str, Any]]:
    last = max((each.id for each in world.whmcs.invoices.all()), default=0)
    sent = {name: last if value == "LAST" else value for name, value in fields.items()}
    sent |= {"customfields[0]": packed({5101: "801X"})} if action == "AddOrder" else {}
    form = Watched(parse_urlencoded(urlencode({**CREDENTIALS, "action": action, **sent}).encode()))
    payload, _ = answer(world.whmcs, Call(form, "127.0.0.1", ""))
    return form, payload


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_asks_for_documented_parameters_and_for_all_it_does_not_declare_to_ignore(
    seen: dict[str, Seen], action: str
) -> None:
    asked, known = seen[action].parameters(), parameters_of(action)
    ignores = actions.BY_NAME[action.lower()].ignores
    assert asked - known <= ALIASES | FURTHER.get(action, set())
    assert known - asked == ignores


@pytest.mark.parametrize("action", ACTIONS)
def test_an_answer_has_every_documented_field(seen: dict[str, Seen], action: str) -> None:
    assert seen[action].failures == []
    assert set(documented()[action.lower()].response) - seen[action].answered == ABSENT.get(action, set())
