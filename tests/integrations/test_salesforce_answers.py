"""What an answer of Salesforce means, from a far side that says anything (salesforce-wire.md §3.1)."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from integrations.errors import Misconfigured, OutsideError, Rejected, Unavailable, UnknownOutcome
from integrations.http import Caller
from integrations.salesforce.auth import Login, Token, TokenSource
from integrations.salesforce.client import SalesforceClient
from tests.environment import throwaway_key
from tests.integrations.conftest import Recorded
from tests.integrations.far_side import Behaviour, FarSide, answer, reset

ORG = "00D58000000arpqEAA"
ORDER = "8015j0000000001AAA"


class Kept:
    """A TokenStore that holds a token which the org may refuse."""

    def __init__(self, url: str) -> None:
        self._url = url

    def load(self) -> Token:
        return Token("old", self._url, ORG)

    def save(self, token: Token) -> None:
        assert token.access_token == "new"

    @contextmanager
    def lock(self) -> Iterator[None]:
        yield


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def salesforce(far: FarSide, recorded: Recorded, pauses: list[float]) -> SalesforceClient:
    caller = Caller(system="salesforce", recorder=recorded, ca_bundle=str(far.ca))
    login = Login(f"{far.url}/token", "https://login.salesforce.com", "key", "user", _pem(), ["localhost"])
    tokens = TokenSource(login=login, store=Kept(far.url), caller=caller)
    return SalesforceClient(tokens=tokens, caller=caller, pause=pauses.append)


def _pem() -> str:
    return base64.b64decode(throwaway_key()).decode()


def says(body: object, status: str = "200 OK") -> Behaviour:
    return answer(json.dumps(body).encode(), status)


def refused(code: str, status: str = "400 Bad Request", message: str = "…", **more: object) -> Behaviour:
    return says([{"errorCode": code, "message": message, **more}], status)


def reading(salesforce: SalesforceClient) -> OutsideError:
    with pytest.raises(OutsideError) as caught:
        salesforce.account_by_number("104882")
    return caught.value


def writing(salesforce: SalesforceClient) -> OutsideError:
    with pytest.raises(OutsideError) as caught:
        salesforce.create_case(ref="r", kind="General Inquiry", subject="s", description="d")
    return caught.value


@pytest.mark.parametrize(
    ("behaviour", "kind", "code"),
    [
        (refused("REQUEST_LIMIT_EXCEEDED", "403 Forbidden"), Unavailable, "sf_limit"),
        (refused("UNABLE_TO_LOCK_ROW"), Unavailable, "row_locked"),
        (refused("INVALID_FIELD", message="No such column 'X__c' on entity 'Account'"), Misconfigured, "invalid_field"),
        (refused("MALFORMED_QUERY"), Misconfigured, "malformed_query"),
        (refused("INSUFFICIENT_ACCESS", "403 Forbidden"), Misconfigured, "insufficient_access"),
        (refused("API_DISABLED_FOR_ORG", "403 Forbidden"), Misconfigured, "api_disabled_for_org"),
        (refused("STRING_TOO_LONG", fields=["Name"]), Rejected, "string_too_long"),
        (refused("FIELD_CUSTOM_VALIDATION_EXCEPTION"), Rejected, "field_custom_validation_exception"),
        (refused("DUPLICATES_DETECTED"), Rejected, "duplicates_detected"),
        (refused("NOT_FOUND", "404 Not Found"), Rejected, "not_found"),
    ],
)
def test_a_definite_answer_means_the_same_for_reads_and_writes(
    salesforce: SalesforceClient, far: FarSide, behaviour: Behaviour, kind: type[OutsideError], code: str
) -> None:
    far.will(behaviour)
    for error in (reading(salesforce), writing(salesforce)):
        assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize(
    ("behaviour", "code", "kind_of_read"),
    [
        (answer(b"<html>maintenance</html>", "503 Service Unavailable", "text/html"), "http_503", Unavailable),
        (refused("UNKNOWN_EXCEPTION", "500 Internal Server Error"), "http_500", Unavailable),
        (answer(b"<html>maintenance</html>", kind="text/html"), "bad_body", Unavailable),
        (answer(b"[1"), "bad_body", Unavailable),
        (says({"unexpected": True}), "bad_body", Unavailable),
        (answer(b"", "302 Found", headers=("Location: https://elsewhere.example/",)), "http_302", Misconfigured),
        (answer(b"<html/>", "404 Not Found"), "http_404", Misconfigured),
        (answer(b"<html/>", "401 Unauthorized"), "http_401", Unavailable),
        (says({"errorCode": "x"}, "400 Bad Request"), "http_400", Unavailable),
        (reset, "reset", Unavailable),
    ],
)
def test_no_usable_answer_leaves_a_write_unknown(
    salesforce: SalesforceClient, far: FarSide, behaviour: Behaviour, code: str, kind_of_read: type[OutsideError]
) -> None:
    far.will(behaviour)
    unknown = writing(salesforce)
    assert (type(unknown), unknown.code) == (UnknownOutcome, code)
    assert type(reading(salesforce)) is kind_of_read
    assert len(far.requests) == 2


DEAD = refused("INVALID_SESSION_ID", "401 Unauthorized")


def granted(far: FarSide) -> Behaviour:
    return says({"access_token": "new", "instance_url": far.url, "id": f"https://login.salesforce.com/id/{ORG}/005"})


def test_a_dead_session_is_renewed_once_even_for_a_write(salesforce: SalesforceClient, far: FarSide) -> None:
    far.will(DEAD, granted(far), says({"id": "5005j0000000001AAA", "success": True, "errors": []}))
    assert salesforce.create_case(ref="r", kind="k", subject="s", description="d") == "5005j0000000001AAA"
    assert [b"Bearer new" in request for request in far.requests] == [False, False, True]


def test_a_session_dead_from_birth_does_not_loop(salesforce: SalesforceClient, far: FarSide) -> None:
    far.will(DEAD, granted(far), DEAD)
    error = reading(salesforce)
    assert (type(error), error.code) == (Misconfigured, "session")
    assert len(far.requests) == 3


def composite_of(*parts: tuple[str, int, Any]) -> Behaviour:
    listed = [{"referenceId": name, "httpStatusCode": status, "body": body} for name, status, body in parts]
    return says({"compositeResponse": listed})


def locked() -> Behaviour:
    halted = [{"errorCode": "PROCESSING_HALTED", "message": "The transaction was rolled back …"}]
    return composite_of(("guard", 400, halted), ("order", 400, [{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "…"}]))


def test_a_locked_row_is_tried_again_a_few_times(
    salesforce: SalesforceClient, far: FarSide, pauses: list[float], recorded: Recorded
) -> None:
    far.will(locked(), locked(), composite_of(("guard", 200, {}), ("order", 204, None)))
    salesforce.request_provisioning(ORDER)
    assert len(pauses) == 2
    assert [result for _, result, _ in recorded.calls] == ["app_error", "app_error", "ok"]


def test_a_row_that_stays_locked_is_given_up(salesforce: SalesforceClient, far: FarSide, pauses: list[float]) -> None:
    far.will(locked())
    with pytest.raises(Unavailable, match="row_locked"):
        salesforce.request_provisioning(ORDER)
    assert (len(far.requests), len(pauses)) == (4, 3)


def test_a_composite_of_another_shape_leaves_it_unknown(salesforce: SalesforceClient, far: FarSide) -> None:
    far.will(composite_of(("guard", 200, {})))
    with pytest.raises(UnknownOutcome, match="bad_body"):
        salesforce.request_provisioning(ORDER)


def page(*ids: str, following: str = "") -> Behaviour:
    fields = {"StageName": "Ready", "CommodityType__c": "SIM", "Portal_Source__c": None, "Portal_Ref__c": None}
    records = [{"Id": each, "CreatedDate": "2026-11-20T01:12:00.000+0000", **fields} for each in ids]
    return says({"records": records, "done": not following, "nextRecordsUrl": following})


def test_a_query_is_read_to_its_end(salesforce: SalesforceClient, far: FarSide) -> None:
    far.will(page("a", following="/services/data/v66.0/query/01gRO-500"), page("b"))
    found = salesforce.open_opportunities(account_id="0015j0000000001AAA", commodity="SIM")
    assert [(each.id, each.stage) for each in found] == [("a", "Ready"), ("b", "Ready")]
    assert far.requests[1].startswith(b"GET /services/data/v66.0/query/01gRO-500 ")


@pytest.mark.parametrize("following", ["https://evil.example/query/1", "/services/data/v66.0/query/../sobjects", "x"])
def test_the_next_page_lies_where_pages_lie(salesforce: SalesforceClient, far: FarSide, following: str) -> None:
    far.will(page("a", following=following))
    with pytest.raises(Unavailable, match="bad_body"):
        salesforce.open_opportunities(account_id="0015j0000000001AAA", commodity="SIM")
    assert len(far.requests) == 1


def an_order(**changes: Any) -> Behaviour:
    item = {
        "Id": "8025j0000000001AAA",
        "Quantity": 1.0,
        "UnitPrice": 4950.0,
        "Billing_Cycle__c": None,
        "ConfigOptions_JSON__c": None,
        "WHMCS_Service_ID__c": None,
        "Product2": {
            "StockKeepingUnit": "INT",
            "Name": "Home",
            "Item_Class__c": "Service",
            "Product2Categories1__c": "Internet",
            "Billing_Cycle__c": "Monthly",
            "WHMCS_Product_Id__c": "101",
            "Portal_Attributes_JSON__c": changes.pop("attributes", None),
        },
    } | changes.pop("item", {})
    order = {
        "Id": ORDER,
        "OrderNumber": "00000100",
        "Status": "Approved",
        "Activation_Status__c": "Activating",
        "Last_Idem_Key__c": None,
        "Attempt_Count__c": None,
        "WHMCS_Order_Id__c": 12.0,
        "Portal_Ref__c": None,
        "AccountId": "0015j0000000001AAA",
        "Account": None,
        "OpportunityId": None,
        "OrderItems": {"done": True, "records": [item]},
    } | changes
    kept = {name: value for name, value in order.items() if value != "absent"}
    return says({"done": True, "records": [kept]})


def test_nulls_and_floats_are_read_for_what_they_mean(salesforce: SalesforceClient, far: FarSide) -> None:
    far.will(an_order())
    order = salesforce.order_for_provisioning(ORDER)
    assert order is not None
    assert (order.whmcs_order_id, order.attempt_count, order.whmcs_client) == (12, 0, "")
    assert (order.items[0].unit_price, order.items[0].billing_cycle, order.items[0].options) == (4950, "Monthly", {})


@pytest.mark.parametrize(
    ("attributes", "plan"),
    [
        ('{"data_gb": 10, "esim_plan": "data-10"}', "data-10"),
        ('{"data_gb": 10}', ""),
        ('{"esim_plan": 10}', ""),
        ('["esim_plan"]', ""),
        ("{broken", ""),
        (None, ""),
    ],
)
def test_the_esim_plan_comes_from_the_products_attributes_and_broken_ones_break_no_order(
    salesforce: SalesforceClient, far: FarSide, attributes: str | None, plan: str
) -> None:
    far.will(an_order(attributes=attributes))
    order = salesforce.order_for_provisioning(ORDER)
    assert order is not None
    assert order.items[0].esim_plan == plan


@pytest.mark.parametrize(
    ("wrong", "kind", "named"),
    [
        ({"item": {"UnitPrice": 4950.5}}, Rejected, "OrderItem 8025j0000000001AAA: UnitPrice is not a whole number"),
        ({"item": {"Quantity": None}}, Rejected, "OrderItem 8025j0000000001AAA: Quantity is empty"),
        ({"item": {"ConfigOptions_JSON__c": "{"}}, Rejected, "ConfigOptions_JSON__c is not JSON"),
        ({"item": {"ConfigOptions_JSON__c": "[]"}}, Rejected, "ConfigOptions_JSON__c is not a JSON object"),
        ({"Status": 7}, Rejected, f"Order {ORDER}: Status is not a text"),
        ({"Attempt_Count__c": "many"}, Rejected, "Attempt_Count__c is not a whole number"),
        ({"Last_Idem_Key__c": "absent"}, Misconfigured, "Order.Last_Idem_Key__c did not come"),
        ({"OrderItems": {"done": False, "records": []}}, Rejected, "more records than one answer holds"),
    ],
)
def test_a_wrong_field_names_object_id_and_field(
    salesforce: SalesforceClient, far: FarSide, wrong: dict[str, Any], kind: type[OutsideError], named: str
) -> None:
    far.will(an_order(**wrong))
    with pytest.raises(OutsideError) as caught:
        salesforce.order_for_provisioning(ORDER)
    assert type(caught.value) is kind
    assert named in caught.value.text


def test_an_error_shows_neither_query_nor_message_with_values(salesforce: SalesforceClient, far: FarSide) -> None:
    far.will(refused("STRING_TOO_LONG", message="Name: data value too large: Sato Aiko", fields=["Name"]))
    error = reading(salesforce)
    assert "Sato" not in str(error)
    assert "104882" not in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None


def test_an_org_with_one_currency_has_no_field_for_it(salesforce: SalesforceClient, far: FarSide) -> None:
    missing = refused("INVALID_FIELD", message="No such column 'CurrencyIsoCode' on entity 'PricebookEntry'.")
    far.will(missing, says({"done": True, "records": []}))
    assert salesforce.catalogue("Portal") == []
    assert b"CurrencyIsoCode" not in far.requests[1]
