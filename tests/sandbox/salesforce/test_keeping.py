"""What the org keeps: over a restart, with ten thousand orders, and from its first start on."""

import json
from pathlib import Path

from sandbox import catalogue
from sandbox.config import Config
from sandbox.salesforce.soql.select import select
from sandbox.salesforce.soql.source import Living
from sandbox.world import World
from tests.sandbox.salesforce.conftest import Api, place


def test_a_restart_keeps_everything(world: World, order: str, carol: str) -> None:
    world.org.update("Order", order, {"Status": "Approved"}, carol)
    token = world.org.sessions.open(carol).token
    before = dict(world.org.existing("Order", order))
    seen = len(world.ledger.read())
    world.close()
    again = World(Config(state=world.config.state))
    try:
        assert dict(again.org.existing("Order", order)) == before
        assert again.org.sessions.find(token) is not None
        assert len(again.ledger.read()) == seen
        (event,) = again.bus.after("/event/OrderProvisionRequested__e", 0, 10)
        assert again.schemas.decode(event.schema_id, event.payload)["OrderId__c"] == order
        api = Api(again)
        maria = api.one("SELECT Id FROM Account WHERE SF_Account_No__c = '104882'")["Id"]
        assert place(api, maria, ref="ref-2") > order
        assert api.error("POST", "sobjects/Account", {"Name": "x", "SF_Account_No__c": "104882"})["status"] == 400
    finally:
        again.close()


def test_indexes_offer_a_handful_of_ten_thousand_orders(world: World, maria: str, carol: str) -> None:
    org = world.org
    with org.store.transaction():
        for number in range(10_000):
            fields = {
                "AccountId": maria,
                "EffectiveDate": "2026-11-21",
                "Status": "Draft",
                "Portal_Ref__c": f"r-{number}",
            }
            last = org.create("Order", fields, carol)

    source = Living(org, carol)

    def offered(name: str, where: str) -> int | None:
        found = select(source, f"SELECT Id FROM {name} WHERE {where}").matching.filter
        assert found is not None
        offer = None if found.plan is None else found.plan.offer(source)
        return None if offer is None else offer.cost

    assert offered("Order", "Portal_Ref__c = 'R-77'") == 1
    assert offered("Order", f"Status = 'Draft' AND (Id IN ('{last}', '{last[:15]}'))") == 1
    assert offered("OrderItem", "Order.Portal_Ref__c = 'r-77'") == 0
    assert offered("Order", f"Account.SF_Account_No__c = '104882' AND Id = '{last}'") == 1
    assert offered("Order", "PoNumber = 'none'") is None


def test_the_first_start_fills_the_catalogue(api: Api) -> None:
    fields = (
        "UnitPrice, CurrencyIsoCode, Product2.StockKeepingUnit, Product2.Name, Product2.Portal_Name_JA__c,"
        " Product2.WHMCS_Product_Id__c, Product2.Portal_ConfigOptions_JSON__c, Product2.Portal_Activation_SKU__c"
    )
    rows = api.query(f"SELECT {fields} FROM PricebookEntry WHERE Pricebook2.Name = 'Portal' AND IsActive = true")
    sold = {each.sku: each for each in catalogue.load().products}
    assert {row["Product2"]["StockKeepingUnit"] for row in rows} == sold.keys()
    for row in rows:
        product, expected = row["Product2"], sold[row["Product2"]["StockKeepingUnit"]]
        assert (row["UnitPrice"], row["CurrencyIsoCode"]) == (float(expected.price), "JPY")
        assert product["WHMCS_Product_Id__c"] == str(expected.whmcs_pid)
        assert product["Portal_Name_JA__c"] == expected.name.ja
        options = json.loads(product["Portal_ConfigOptions_JSON__c"] or "[]")
        assert [each["key"] for each in options] == [each.key for each in expected.options]
        assert (product["Portal_Activation_SKU__c"] or "") in {"", *sold}


def test_the_first_start_sets_the_org_up(api: Api) -> None:
    user = api.one("SELECT Profile.Name FROM User WHERE Username = 'carol.suzuki@sonixnet.example'")
    assert user["Profile"]["Name"] == "System Administrator"
    statuses = api.query("SELECT ApiName, StatusCode FROM OrderStatus ORDER BY SortOrder")
    assert [each["ApiName"] for each in statuses if each["StatusCode"] == "Activated"] == ["Activated"]
    assert (statuses[0]["ApiName"], len(statuses)) == ("Draft", 5)
    assert api.one("SELECT IsoCode FROM CurrencyType WHERE IsCorporate = true")["IsoCode"] == "JPY"


def test_the_catalogue_is_consistent() -> None:
    sold = catalogue.load().products
    assert len({each.sku for each in sold}) == len({each.whmcs_pid for each in sold}) == len(sold)
    services = [each for each in sold if each.item_class == "Service"]
    activations = {each.sku for each in sold if each.item_class == "Activation"}
    assert all(each.activation_sku in activations for each in services)
    assert {each.category for each in services} == {"Internet", "SIM", "VPN"}
    choices = [
        choice.whmcs_choice_id
        for group in catalogue.load().config_groups.values()
        for o in group
        for choice in o.choices
    ]
    assert len(choices) == len(set(choices))


def test_maria_can_have_two_plans(api: Api) -> None:
    value = api.one("SELECT Internet_Eligibility__c FROM Account WHERE SF_Account_No__c = '104882'")
    fitting = [each.sku for each in catalogue.load().products if value["Internet_Eligibility__c"] in each.eligibility]
    assert fitting == ["INT-APT-1G", "INT-APT-10G"]


def test_keys_are_private_and_stay_the_same(world: World) -> None:
    for path in (world.authority.key, world.authority.client_key):
        assert path.stat().st_mode & 0o777 == 0o600
    before = {path.name: path.read_bytes() for path in Path(world.config.state).glob("*.pem")}
    world.close()
    World(world.config).close()
    assert {path.name: path.read_bytes() for path in Path(world.config.state).glob("*.pem")} == before
