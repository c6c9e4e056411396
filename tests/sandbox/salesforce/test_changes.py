"""Change Data Capture from real changes of records, read as the documents say (salesforce-wire.md §1.8)."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from sandbox.desk.agent import Agent
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.events import UnknownTopic
from sandbox.world import World
from tests.sandbox.salesforce.conftest import BASE, Api

HEADER = "ChangeEventHeader"
Changes = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def changes(world: World) -> Changes:
    """changes("Order") are the events about orders since the last time somebody asked, their bitmaps made names."""
    seen = {"": world.bus.latest()}

    def ask(*types: str) -> list[dict[str, Any]]:
        topics = tuple(f"/data/{name}ChangeEvent" for name in types)
        after = max(seen.get(name, seen[""]) for name in types)
        found = world.bus.next_of(topics, after, 1000)
        seen.update(dict.fromkeys(types, world.bus.latest()))
        return [_readable(world, each.schema_id, each.payload) for each in found]

    return ask


def _readable(world: World, schema_id: str, payload: bytes) -> dict[str, Any]:
    fields = world.schemas.by_id(schema_id).parsed["fields"]
    event = world.schemas.decode(schema_id, payload)
    for name in ("changedFields", "nulledFields", "diffFields"):
        event[HEADER][name] = _names(fields, event[HEADER][name])
    return event


def _names(fields: list[dict[str, Any]], bitmaps: list[str]) -> set[str]:
    """Field names of the bitmaps, as Salesforce's own example reads them: bit i, from the right, is field i."""
    named: set[str] = set()
    for each in bitmaps:
        parent, _, bits = each.rpartition("-")
        assert bits.startswith("0x")
        assert bits == bits.upper().replace("X", "x")
        assert len(bits) % 2 == 0
        positions = [at for at, bit in enumerate(reversed(f"{int(bits, 16):b}")) if bit == "1"]
        if parent:
            outer = fields[int(parent)]
            inner = _address(fields)
            named |= {f"{outer['name']}.{inner[at]['name']}" for at in positions}
        else:
            named |= {fields[at]["name"] for at in positions}
    return named


def _address(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    (record,) = [
        kind for each in fields for kind in each["type"] if isinstance(kind, dict) and kind["name"] == "Address"
    ]
    inner: list[dict[str, Any]] = record["fields"]
    return inner


def _filled(event: dict[str, Any]) -> set[str]:
    return {name for name, value in event.items() if value is not None and name != HEADER}


def test_a_new_record_is_told_whole_and_marks_nothing_as_changed(api: Api, changes: Changes) -> None:
    account = api.create("Account", Name="Aoi Trading", Phone="03-1234-5678", BillingCity="Minato")
    (event,) = changes("Account")
    header = event[HEADER]
    assert (header["entityName"], header["recordIds"], header["changeType"]) == ("Account", [account], "CREATE")
    assert header["changedFields"] == header["nulledFields"] == header["diffFields"] == set()
    assert event["Name"] == "Aoi Trading"
    assert event["BillingAddress"]["City"] == "Minato"
    assert event["BillingAddress"]["Street"] is None
    assert event["ShippingAddress"] is None
    assert event["CreatedDate"] == event["LastModifiedDate"] > 1_700_000_000_000


def test_an_update_tells_what_changed_and_nothing_else(api: Api, changes: Changes, maria: str) -> None:
    api.update("Account", maria, Phone="03-0000-0000", Internet_Eligibility__c="Apartment 1G")
    (event,) = changes("Account")
    assert event[HEADER]["changeType"] == "UPDATE"
    assert event[HEADER]["changedFields"] >= {"Phone", "Internet_Eligibility__c", "LastModifiedDate"}
    assert _filled(event) == event[HEADER]["changedFields"]
    assert "Name" not in _filled(event)
    assert event[HEADER]["nulledFields"] == set()


def test_a_field_that_is_emptied_is_named_twice(api: Api, changes: Changes, maria: str) -> None:
    api.update("Account", maria, Phone="03-0000-0000")
    api.update("Account", maria, Phone=None)
    event = changes("Account")[-1]
    assert event[HEADER]["nulledFields"] == {"Phone"}
    assert "Phone" in event[HEADER]["changedFields"]
    assert event["Phone"] is None


def test_parts_of_an_address_are_named_with_it(api: Api, changes: Changes, maria: str) -> None:
    api.update("Account", maria, BillingCity="Osaka", BillingStreet="1-1", ShippingCity="Kobe")
    api.update("Account", maria, BillingCity="Kyoto", BillingStreet=None)
    first, second = changes("Account")
    assert first[HEADER]["changedFields"] >= {"BillingAddress.City", "BillingAddress.Street", "ShippingAddress.City"}
    assert second[HEADER]["changedFields"] & {"BillingAddress.City", "BillingAddress.Street"}
    assert second[HEADER]["nulledFields"] == {"BillingAddress.Street"}
    assert second["BillingAddress"]["City"] == "Kyoto"
    assert second["ShippingAddress"] is None


def test_a_deleted_record_is_told_by_its_header_and_a_restored_one_whole(
    api: Api, world: World, changes: Changes, carol: str
) -> None:
    account = api.create("Account", Name="Aoi Trading")
    changes("Account")
    assert api("DELETE", f"sobjects/Account/{account}").status == 204
    (deleted,) = changes("Account")
    assert deleted[HEADER]["changeType"] == "DELETE"
    assert deleted[HEADER]["recordIds"] == [account]
    assert _filled(deleted) == set()
    world.org.undelete("Account", account, carol)
    (restored,) = changes("Account")
    assert restored[HEADER]["changeType"] == "UNDELETE"
    assert restored["Name"] == "Aoi Trading"
    assert api("GET", f"sobjects/Account/{account}").json()["Name"] == "Aoi Trading"
    assert api.query("SELECT Id FROM Account WHERE Name = 'Aoi Trading'")


def test_an_order_comes_back_with_its_items(api: Api, world: World, changes: Changes, order: str) -> None:
    (item,) = api.query(f"SELECT Id FROM OrderItem WHERE OrderId = '{order}'")
    before = api("GET", f"sobjects/Order/{order}").json()
    assert api("DELETE", f"sobjects/Order/{order}").status == 204
    changes("Order")
    assert api("GET", f"sobjects/OrderItem/{item['Id']}").status == 404
    assert "is back" in Agent(world).restore(order)
    assert api.query(f"SELECT Id FROM OrderItem WHERE OrderId = '{order}'") == [item]
    assert api("GET", f"sobjects/Order/{order}").json()["TotalAmount"] == before["TotalAmount"] > 0
    assert [each[HEADER]["changeType"] for each in changes("Order")] == ["UNDELETE"]
    for gone in (order, "801000000000009AAA", "zzz"):
        with pytest.raises(ApiError):
            Agent(world).restore(gone)


def test_what_is_rolled_back_was_never_changed(api: Api, changes: Changes, maria: str) -> None:
    body = {
        "allOrNone": True,
        "compositeRequest": [
            _patch("good", f"Account/{maria}", {"Phone": "03-1"}),
            _patch("bad", f"Account/{maria}", {"Nothing__c": "x"}),
        ],
    }
    reply = api("POST", "composite", body)
    assert [each["httpStatusCode"] for each in reply.json()["compositeResponse"]] == [400, 400]
    assert changes("Account") == []


def test_one_transaction_has_one_key_and_counts_its_changes(api: Api, changes: Changes, maria: str, order: str) -> None:
    changes("Account", "Order")
    body = {
        "allOrNone": True,
        "compositeRequest": [
            _patch("one", f"Account/{maria}", {"Phone": "03-1"}),
            _patch("two", f"Order/{order}", {"Description": "quick, please"}),
        ],
    }
    assert api("POST", "composite", body).status == 200
    api.update("Account", maria, Phone="03-2")
    first, second, later = changes("Account", "Order")
    headers = [each[HEADER] for each in (first, second, later)]
    assert [each["sequenceNumber"] for each in headers] == [1, 2, 1]
    assert headers[0]["transactionKey"] == headers[1]["transactionKey"] != headers[2]["transactionKey"]
    assert 2**53 < headers[0]["commitNumber"] == headers[1]["commitNumber"] < headers[2]["commitNumber"]
    assert headers[0]["commitTimestamp"] > 1_700_000_000_000


def _patch(reference: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"method": "PATCH", "url": f"{BASE}/sobjects/{path}", "referenceId": reference, "body": body}


def test_the_origin_names_the_api_and_its_client(api: Api, world: World, changes: Changes, order: str) -> None:
    changes("Order")
    called = {"Sforce-Call-Options": "client=portal"}
    api("PATCH", f"sobjects/Order/{order}", {"Description": "a"}, headers={k.lower(): v for k, v in called.items()})
    api.update("Order", order, Description="b")
    Agent(world).cancel(order)
    origins = [each[HEADER]["changeOrigin"] for each in changes("Order")]
    assert origins[:2] == ["com/salesforce/api/rest/66.0;client=portal", "com/salesforce/api/rest/66.0"]
    assert "SfdcInternalAPI" in origins[2]


def test_what_the_flow_does_at_approval_is_part_of_the_change(
    api: Api, world: World, changes: Changes, order: str, carol: str
) -> None:
    changes("Order")
    Agent(world).approve(order)
    (event,) = changes("Order")
    assert event["Status"] == "Approved"
    assert event["Activation_Status__c"] == "Activating"
    assert event["Provision_Request_No__c"] == 1.0
    assert event[HEADER]["changedFields"] >= {"Status", "Activation_Status__c", "Last_Idem_Key__c"}
    assert event[HEADER]["commitUser"] == carol


def test_sums_of_the_platform_and_types_that_are_not_captured_say_nothing(
    api: Api, changes: Changes, maria: str
) -> None:
    api.create("Contact", LastName="Oki", AccountId=maria)
    assert changes("Account", "Order") == []
    with pytest.raises(UnknownTopic):
        api.world.topics.find("/data/ContactChangeEvent")


def test_dates_are_milliseconds_and_half_a_character_is_a_question_mark(
    world: World, changes: Changes, order: str, carol: str
) -> None:
    changes("Order")
    world.org.update("Order", order, {"EndDate": "2026-12-31", "Description": "\ud83d only half"}, carol)
    (event,) = changes("Order")
    assert event["EndDate"] == 1_798_675_200_000
    assert event["Description"] == "? only half"


def test_the_schema_has_the_real_shape(world: World) -> None:
    schema = world.schemas.current("/data/AccountChangeEvent").parsed
    assert (schema["name"], schema["namespace"]) == ("AccountChangeEvent", "com.sforce.eventbus")
    header, *fields = schema["fields"]
    assert header["name"] == HEADER
    assert [each["name"] for each in header["type"]["fields"]] == [
        *("entityName", "recordIds", "changeType", "changeOrigin", "transactionKey", "sequenceNumber"),
        *("commitTimestamp", "commitNumber", "commitUser", "nulledFields", "diffFields", "changedFields"),
    ]
    assert all(each["type"][0] == "null" and each["default"] is None for each in fields)
    name, billing, shipping = (
        next(each for each in fields if each["name"] == wanted)
        for wanted in ("Name", "BillingAddress", "ShippingAddress")
    )
    assert name["type"][1] == "string"
    assert name["type"][2]["name"] == "Switchable_PersonName"
    assert billing["type"][1]["name"] == "Address"
    assert shipping["type"] == ["null", "Address"]
    assert not {"Id", "IsDeleted", "SystemModstamp", "BillingCity"} & {each["name"] for each in fields}


def test_any_update_is_told_exactly(api: Api, changes: Changes, maria: str) -> None:
    """Random updates: the names in the bitmaps are the fields that really differ, and applying the events to a copy of
    the record gives the record."""
    random, fields = Random(20261121), ["Phone", "Fax", "Website", "Description", "Internet_Eligibility__c"]
    fields += ["BillingStreet", "BillingCity", "BillingPostalCode", "ShippingCity", "ShippingCountry"]
    before = api("GET", f"sobjects/Account/{maria}").json()
    for _ in range(60):
        chosen = random.sample(fields, random.randint(1, len(fields)))
        api.update("Account", maria, **{name: random.choice([None, "a", "b"]) for name in chosen})
        after = api("GET", f"sobjects/Account/{maria}").json()
        differing = {_dotted(name) for name in fields if before[name] != after[name]}
        emptied = {_dotted(name) for name in fields if before[name] != after[name] and after[name] is None}
        (event,) = changes("Account")
        told = event[HEADER]["changedFields"] - {"LastModifiedDate", "LastModifiedById"}
        assert (told, event[HEADER]["nulledFields"]) == (differing, emptied)
        for name in differing:
            outer, _, inner = name.partition(".")
            value = (event[outer] or {}).get(inner) if inner else event[outer]
            assert value == after[outer.replace("Address", inner) if inner else outer]
        before = after


def _dotted(name: str) -> str:
    for prefix in ("Billing", "Shipping"):
        if name.startswith(prefix):
            return f"{prefix}Address.{name.removeprefix(prefix)}"
    return name
