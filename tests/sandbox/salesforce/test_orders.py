"""Orders: the platform's rules, and the two Flows between approval and the event."""

import re
from typing import Any

import pytest

from sandbox.salesforce.events import PROVISION_TOPIC
from sandbox.world import World
from tests.sandbox.salesforce.conftest import BASE, Api, entry_of, place


def events(world: World) -> list[dict[str, Any]]:
    stored = world.bus.after(PROVISION_TOPIC, 0, 100)
    return [world.schemas.decode(each.schema_id, each.payload) for each in stored]


def approve(world: World, order: str, user: str) -> None:
    world.org.update("Order", order, {"Status": "Approved"}, user)


def test_approval_publishes_exactly_one_event(world: World, order: str, carol: str) -> None:
    world.org.update("Order", order, {"Activation_Error__c": "old", "Activation_Status__c": "Failed"}, carol)
    approve(world, order, carol)
    record = world.org.existing("Order", order)
    assert (record["Activation_Status__c"], record["Activation_Error__c"]) == ("Activating", None)
    assert record["Provision_Request_No__c"] == 1.0
    assert re.fullmatch(rf"{order}-\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\dZ-1", record["Last_Idem_Key__c"])
    (event,) = events(world)
    assert event["OrderId__c"] == order
    assert event["IdemKey__c"] == record["Last_Idem_Key__c"]
    assert event["CorrelationId__c"] == "corr-ref-1"
    assert (event["RequestedBy__c"], event["CreatedById"], event["Version__c"]) == (carol, carol, 1.0)
    (entry,) = world.ledger.read("salesforce", "event.publish")
    assert entry.detail["IdemKey__c"] == event["IdemKey__c"]


def test_edits_while_activating_publish_nothing(world: World, order: str, carol: str) -> None:
    approve(world, order, carol)
    world.org.update("Order", order, {"Description": "called the customer"}, carol)
    world.org.update("Order", order, {"Activation_Status__c": "Activating"}, carol)
    assert len(events(world)) == 1
    assert world.org.existing("Order", order)["Provision_Request_No__c"] == 1.0


def test_a_retry_from_failed_publishes_one_with_a_new_key(world: World, order: str, carol: str) -> None:
    approve(world, order, carol)
    world.org.update("Order", order, {"Activation_Status__c": "Failed", "Activation_Error__c": "no card"}, carol)
    assert len(events(world)) == 1
    world.org.update("Order", order, {"Activation_Status__c": "Activating"}, carol)
    first, second = events(world)
    assert second["IdemKey__c"].endswith("-2")
    assert first["IdemKey__c"] != second["IdemKey__c"]
    assert world.org.existing("Order", order)["Activation_Error__c"] is None


def test_approval_and_activating_in_one_save_are_one_request(world: World, order: str, carol: str) -> None:
    world.org.update("Order", order, {"Status": "Approved", "Activation_Status__c": "Activating"}, carol)
    assert len(events(world)) == 1


def test_other_statuses_publish_nothing(world: World, order: str, carol: str) -> None:
    for status in ("Draft", "Pending Review", "Cancelled"):
        world.org.update("Order", order, {"Status": status}, carol)
    assert events(world) == []


def test_what_is_rolled_back_was_never_said(api: Api, world: World, order: str) -> None:
    path = f"{BASE}/sobjects/Order/{order}"
    body = {
        "allOrNone": True,
        "compositeRequest": [
            {"method": "PATCH", "url": path, "referenceId": "a", "body": {"Status": "Approved"}},
            {"method": "PATCH", "url": path, "referenceId": "b", "body": {"Status": "Nonsense"}},
        ],
    }
    answers = api("POST", "composite", body).json()["compositeResponse"]
    assert answers[1]["body"][0]["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert events(world) == []
    assert world.org.existing("Order", order)["Status"] == "Pending Review"
    assert world.org.existing("Order", order)["Provision_Request_No__c"] is None


def test_an_event_leaves_after_the_commit(world: World, order: str, carol: str) -> None:
    with world.org.store.transaction():
        approve(world, order, carol)
        assert events(world) == []
    assert len(events(world)) == 1


def head(api: Api, account: str, **fields: Any) -> dict[str, Any]:
    pricebook = api.one("SELECT Id FROM Pricebook2 WHERE Name = 'Portal'")["Id"]
    usual = {"AccountId": account, "Pricebook2Id": pricebook, "EffectiveDate": "2026-11-21", "Status": "Draft"}
    return usual | fields


def test_an_order_cannot_be_born_activated(api: Api, maria: str) -> None:
    error = api.error("POST", "sobjects/Order", head(api, maria, Status="Activated"))
    assert (error["errorCode"], error["fields"]) == ("FIELD_INTEGRITY_EXCEPTION", ["Status"])


CATEGORIES = [("Pending Review", "Draft"), ("Approved", "Draft"), ("Cancelled", "Draft"), ("Activated", "Activated")]


@pytest.mark.parametrize(("status", "category"), CATEGORIES)
def test_the_category_of_a_status(api: Api, order: str, status: str, category: str) -> None:
    api.update("Order", order, Status=status)
    row = api("GET", f"sobjects/Order/{order}").json()
    assert row["StatusCode"] == category
    assert (row["ActivatedDate"] is not None) == (category == "Activated")


def test_activation_needs_an_item(api: Api, maria: str) -> None:
    empty = api.create("Order", **head(api, maria))
    error = api.error("PATCH", f"sobjects/Order/{empty}", {"Status": "Activated"})
    assert (error["status"], error["errorCode"]) == (400, "FAILED_ACTIVATION")
    assert error["message"] == "An order must have at least one product."


def test_an_activated_order_keeps_its_items(api: Api, order: str) -> None:
    item = api.one(f"SELECT Id FROM OrderItem WHERE OrderId = '{order}'")["Id"]
    api.update("Order", order, Status="Activated")
    new = {"OrderId": order, "PricebookEntryId": entry_of(api, "ADD-PHONE"), "Quantity": 1, "UnitPrice": 550}
    for method, path, body in (
        ("POST", "sobjects/OrderItem", new),
        ("PATCH", f"sobjects/OrderItem/{item}", {"Quantity": 2}),
        ("DELETE", f"sobjects/OrderItem/{item}", None),
        ("DELETE", f"sobjects/Order/{order}", None),
    ):
        assert api.error(method, path, body)["errorCode"] == "ENTITY_IS_LOCKED"
    api.update("OrderItem", item, WHMCS_Service_ID__c="9")
    assert (
        api.error("PATCH", f"sobjects/Order/{order}", {"AccountId": api.create("Account", Name="x")})["status"] == 400
    )


def test_the_total_follows_the_items(api: Api, order: str) -> None:
    def total() -> float:
        return float(api("GET", f"sobjects/Order/{order}").json()["TotalAmount"])

    assert total() == 4730.0
    phone = api.create(
        "OrderItem", OrderId=order, PricebookEntryId=entry_of(api, "ADD-PHONE"), Quantity=2, UnitPrice=550
    )
    assert total() == 5830.0
    api.update("OrderItem", phone, Quantity=1)
    assert total() == 5280.0
    api("DELETE", f"sobjects/OrderItem/{phone}")
    assert total() == 4730.0
    assert api("DELETE", f"sobjects/Order/{order}").status == 204
    assert api.query("SELECT Id FROM OrderItem") == []


def test_numbers_are_given_in_order(api: Api, maria: str) -> None:
    for ref in ("a", "b"):
        place(api, maria, ref=ref)
    assert [row["OrderNumber"] for row in api.query("SELECT OrderNumber FROM Order")] == ["00000100", "00000101"]


def test_an_item_must_fit_its_order(api: Api, order: str, maria: str) -> None:
    loose = api.create("Order", **head(api, maria, Pricebook2Id=None))
    entry = entry_of(api, "ADD-PHONE")
    item = {"OrderId": order, "PricebookEntryId": entry, "Quantity": 1, "UnitPrice": 550}
    foreign = entry_of(api, "ADD-PHONE", "Standard Price Book")
    for change, words in (
        ({"PricebookEntryId": foreign}, "different pricebook"),
        ({"OrderId": loose}, "needs a price book"),
    ):
        error = api.error("POST", "sobjects/OrderItem", item | change)
        assert error["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"
        assert words in error["message"]
    api.update("PricebookEntry", entry, IsActive=False)
    assert "inactive" in api.error("POST", "sobjects/OrderItem", item)["message"]
    assert (
        api.error("PATCH", f"sobjects/Order/{order}", {"Pricebook2Id": None})["errorCode"]
        == "FIELD_INTEGRITY_EXCEPTION"
    )


def test_prices_need_a_standard_price_and_come_once(api: Api) -> None:
    product = api.create("Product2", Name="New", StockKeepingUnit="NEW-1", IsActive=True)
    books = {row["Name"]: row["Id"] for row in api.query("SELECT Id, Name FROM Pricebook2")}
    entry = {"Product2Id": product, "UnitPrice": 100.5, "IsActive": True, "Pricebook2Id": books["Portal"]}
    assert api.error("POST", "sobjects/PricebookEntry", entry)["errorCode"] == "STANDARD_PRICE_NOT_DEFINED"
    api.create("PricebookEntry", **entry | {"Pricebook2Id": books["Standard Price Book"]})
    made = api.create("PricebookEntry", **entry)
    assert api("GET", f"sobjects/PricebookEntry/{made}").json()["Name"] == "New"
    assert api.error("POST", "sobjects/PricebookEntry", entry)["errorCode"] == "DUPLICATE_VALUE"


def test_what_others_need_cannot_be_deleted(api: Api, maria: str, order: str) -> None:
    assert api.error("DELETE", f"sobjects/Account/{maria}")["errorCode"] == "DELETE_FAILED"
    assert api("GET", f"sobjects/Order/{order}").status == 200


def test_cases_and_opportunities_close_by_their_status(api: Api, maria: str) -> None:
    case = api.create("Case", AccountId=maria, Subject="Hello", Origin="Portal", Type="General Inquiry")
    row = api("GET", f"sobjects/Case/{case}").json()
    assert (row["CaseNumber"], row["Status"], row["IsClosed"]) == ("00001001", "New", False)
    api.update("Case", case, Status="Closed")
    assert api.one("SELECT IsClosed FROM Case WHERE ClosedDate != null")["IsClosed"] is True
    opportunity = api.create("Opportunity", Name="x", StageName="Active", CloseDate="2026-12-21")
    assert api("GET", f"sobjects/Opportunity/{opportunity}").json()["IsWon"] is True
