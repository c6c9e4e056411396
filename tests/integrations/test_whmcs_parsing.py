"""The irregular shapes of WHMCS, one by one (whmcs-wire.md §1.5, §2)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from integrations.whmcs import records
from integrations.whmcs.order_form import without_mark
from integrations.whmcs.parsing import BadShape, cycle, day, integer, integers, json_object, money, rows, text, verdict

ROW = {"id": 1}
NOTHING: list[Any] = ["", None, [], {}, {"order": ""}, {"order": []}, {"order": {}}, {"order": None}]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"order": [ROW, {"id": 2}]}, [ROW, {"id": 2}]),
        ({"order": [ROW]}, [ROW]),
        ({"order": ROW}, [ROW]),
        ({"order": {"0": ROW, "1": {"id": 2}}}, [ROW, {"id": 2}]),
        ({"0": ROW}, [ROW]),
        ([ROW], [ROW]),
        (ROW, [ROW]),
        *[(nothing, []) for nothing in NOTHING],
    ],
)
def test_a_list_in_all_its_shapes(value: Any, expected: list[Any]) -> None:
    assert rows(value, "order") == expected


@pytest.mark.parametrize("value", ["two", 7, ["a"], {"order": "many"}, {"order": [1]}])
def test_what_is_no_list_is_said(value: Any) -> None:
    with pytest.raises(BadShape):
        rows(value, "order")


@pytest.mark.parametrize("sent", [7, "7", " 7 "])
def test_a_number_may_be_a_text(sent: Any) -> None:
    assert integer({"id": sent}, "id") == 7


@pytest.mark.parametrize(
    "row", [{}, {"id": ""}, {"id": None}, {"id": "seven"}, {"id": "7.5"}, {"id": True}, {"id": "٧"}]
)
def test_a_missing_or_wrong_number_names_its_field(row: dict[str, Any]) -> None:
    with pytest.raises(BadShape, match="id"):
        integer(row, "id")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"serviceids": "4,5"}, (4, 5)),
        ({"productids": "4"}, (4,)),
        ({"serviceids": "", "productids": "6"}, (6,)),
        ({"serviceids": ["4", 5]}, (4, 5)),
        ({}, ()),
    ],
)
def test_ids_come_as_a_comma_list(row: dict[str, Any], expected: tuple[int, ...]) -> None:
    assert integers(row, "serviceids", "productids") == expected


def test_entities_are_decoded_once() -> None:
    assert text({"name": "Tom &amp; O&#039;Hara &amp;lt;b&amp;gt;"}, "name") == "Tom & O'Hara &lt;b&gt;"


@pytest.mark.parametrize("value", ["$-8.67 USD", "", None, "NaN", "Infinity"])
def test_a_formatted_amount_is_refused(value: Any) -> None:
    with pytest.raises(BadShape, match="price"):
        money({"price": value}, "price")


def test_amounts_and_days() -> None:
    assert money({"price": "1000.00"}, "price") == Decimal("1000.00")
    assert day({"due": "0000-00-00"}, "due") == ""
    assert day({"due": "2026-12-01 00:00:00"}, "due") == "2026-12-01"


@pytest.mark.parametrize(
    ("shown", "plain"),
    [("One Time", "onetime"), ("One-Time", "onetime"), ("Free Account", "free"), ("Semi-Annually", "semiannually")],
)
def test_one_spelling_for_each_cycle(shown: str, plain: str) -> None:
    assert cycle(shown) == plain


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'"x"', b"\xff\xfe", b"Notice: x {}", b"[" * 100_000])
def test_what_is_no_json_object_is_said(body: bytes) -> None:
    with pytest.raises(BadShape):
        json_object(body)


def test_the_verdict_may_be_called_status() -> None:
    assert [verdict({"status": "Success"}), verdict({"result": "error", "status": "success"})] == ["success", "error"]
    assert verdict({"result": True}) == ""


@pytest.mark.parametrize(
    ("expires", "expired"), [("10/26", True), ("11/26", False), ("12/25", True), ("01/27", False), ("", False)]
)
def test_a_card_is_good_to_the_end_of_its_month(expires: str, expired: bool) -> None:
    row = {"id": 1, "type": "RemoteCreditCard", "expiry_date": expires, "remote_token": "tok_1"}
    method = records.pay_method(row, date(2026, 11, 30))
    assert method.expired is expired
    assert "tok_1" not in repr(method)


def test_a_service_keeps_nothing_that_must_not_leave() -> None:
    row = {
        "id": "5",
        "orderid": "2",
        "clientid": "1",
        "pid": 101,
        "billingcycle": "Monthly",
        "recurringamount": "4950.00",
        "password": "hunter2",
        "notes": "admins only",
        "customfields": {"customfield": {"id": 9, "name": "Salesforce Order Id", "value": "801x"}},
    }
    service = records.service(row)
    assert service.custom_fields == {"Salesforce Order Id": "801x"}
    assert not {"hunter2", "admins only"} & set(map(str, vars(service).values()))


def test_a_broken_row_is_named() -> None:
    with pytest.raises(BadShape, match="service 5: orderid is missing"):
        records.service({"id": 5})


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Taro\nsfOrderId=801000000000001AAA", "Taro 801000000000001AAA"),
        ("sfOrdersfOrderId=Id=801", "801"),
        ("SFORDERID=801", "801"),
        ("  株式会社\u2028二行目 ", "株式会社 二行目"),
    ],
)
def test_a_customer_cannot_forge_the_mark(typed: str, kept: str) -> None:
    assert without_mark(typed) == kept
