"""Which part of a Composite failed, and how (salesforce-wire.md §3.6)."""

from typing import Any

import pytest

from integrations.errors import Misconfigured, OutsideError, Rejected, Unavailable
from integrations.salesforce.composite import Composite, NoRow, Part, PartRefused, collection, query

PARTS = [
    query("guard", "SELECT Id FROM Order"),
    collection("items", "PATCH", [{"Id": "1"}]),
    Part("order", "PATCH", "sobjects/Order/@{guard.records[0].Id}", {"Status": "Activated"}),
]
ROLLED_BACK = {"errorCode": "PROCESSING_HALTED", "message": "The transaction was rolled back since …"}
NO_VALUE = {
    "errorCode": "PROCESSING_HALTED",
    "message": "Invalid reference specified. No value for guard.records[0].Id found in guard.",
}
UNDONE = {"success": False, "errors": [{"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": "…"}]}


def composite() -> Composite:
    return Composite("report_outcome", "66.0", PARTS)


def part(name: str, status: int, body: Any) -> dict[str, Any]:
    return {"referenceId": name, "httpStatusCode": status, "body": body, "httpHeaders": {}}


def bodies(*given: tuple[int, Any]) -> dict[str, Any]:
    """What becomes of these three answers."""
    asked = composite()
    names = ("guard", "items", "order")
    responses = asked.responses({"compositeResponse": [part(n, *each) for n, each in zip(names, given, strict=True)]})
    assert responses is not None
    return asked.bodies(responses)


def test_the_request_names_version_references_and_all_or_none() -> None:
    request = composite().request()
    assert request["allOrNone"] is True
    guard, items, order = request["compositeRequest"]
    assert guard == {
        "method": "GET",
        "url": "/services/data/v66.0/query?q=SELECT%20Id%20FROM%20Order",
        "referenceId": "guard",
    }
    assert items["body"] == {"allOrNone": True, "records": [{"Id": "1"}]}
    assert order["url"] == "/services/data/v66.0/sobjects/Order/@{guard.records[0].Id}"


def test_when_all_went_well_the_bodies_come_by_name() -> None:
    done = bodies((200, {"records": []}), (200, [{"id": "1", "success": True, "errors": []}]), (204, None))
    assert list(done) == ["guard", "items", "order"]


def test_a_guard_without_a_row_is_told_apart() -> None:
    with pytest.raises(NoRow) as caught:
        bodies((400, [ROLLED_BACK]), (400, [ROLLED_BACK]), (400, [NO_VALUE]))
    assert caught.value.name == "guard"


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (
            {"errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "No"},
            Rejected,
            "field_custom_validation_exception",
        ),
        ({"errorCode": "UNABLE_TO_LOCK_ROW", "message": "…"}, Unavailable, "row_locked"),
        ({"errorCode": "INVALID_FIELD", "message": "No such column"}, Misconfigured, "invalid_field"),
        ({"errorCode": "UNKNOWN_EXCEPTION", "message": "…"}, Unavailable, "sf_error"),
    ],
)
def test_the_part_that_failed_is_named_and_not_those_it_took_along(
    error: dict[str, str], kind: type[OutsideError], code: str
) -> None:
    with pytest.raises(PartRefused) as caught:
        bodies((400, [ROLLED_BACK]), (200, [UNDONE]), (400, [error]))
    assert (caught.value.name, type(caught.value.error), caught.value.error.code) == ("order", kind, code)
    assert caught.value.error.operation == "report_outcome.order"


def test_a_collection_that_answers_200_may_have_failed() -> None:
    wrong = {"success": False, "errors": [{"statusCode": "MALFORMED_ID", "message": "…", "fields": ["Id"]}]}
    with pytest.raises(PartRefused) as caught:
        bodies((400, [ROLLED_BACK]), (200, [UNDONE, wrong]), (400, [ROLLED_BACK]))
    assert (caught.value.name, caught.value.error.code, caught.value.error.text) == ("items", "malformed_id", "Id")


def test_a_rollback_without_a_reason_did_nothing() -> None:
    with pytest.raises(Unavailable, match="halted"):
        bodies((400, [ROLLED_BACK]), (400, [ROLLED_BACK]), (400, [ROLLED_BACK]))


@pytest.mark.parametrize("body", [None, [], "<html>", [{}], ["x"]])
def test_a_failure_without_salesforce_s_array_counts_all_the_same(body: Any) -> None:
    with pytest.raises(PartRefused):
        bodies((500, body), (400, [ROLLED_BACK]), (400, [ROLLED_BACK]))


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {"compositeResponse": "x"},
        {"compositeResponse": []},
        {"compositeResponse": [part("guard", 200, {})]},
        {"compositeResponse": [part("guard", 200, {}), part("items", 200, []), {"referenceId": "order"}]},
    ],
)
def test_an_answer_that_leaves_a_part_out_is_no_answer(answer: Any) -> None:
    assert composite().responses(answer) is None
