"""What goes wrong inside of Salesforce, on the wire, with the org's own errors."""

import itertools
import uuid
from typing import Any

import pytest

from tests.faults import Faults
from tests.sandbox.faults.clients import BASE, Salesforce

QUERY = "query?q=SELECT+Id+FROM+Product2+LIMIT+1"
ROLLED_BACK = "PROCESSING_HALTED"
_names = itertools.count(1)


@pytest.fixture
def account(salesforce: Salesforce) -> str:
    """Aiko's account, new for this test."""
    return salesforce.create("Account", Name=f"Aiko {next(_names)}")


def case(account: str, subject: str = "Hello") -> dict[str, str]:
    return {"AccountId": account, "Subject": subject, "Origin": "Portal"}


def cases(salesforce: Salesforce, account: str) -> list[str]:
    answer = salesforce("GET", f"query?q=SELECT+Subject+FROM+Case+WHERE+AccountId='{account}'+ORDER+BY+Subject")
    return [row["Subject"] for row in answer.json()["records"]]


def error(answer: Any) -> tuple[int, str, str]:
    (body,) = answer.json()
    return answer.status_code, body["errorCode"], body["message"]


EXPIRED = (401, "INVALID_SESSION_ID", "Session expired or invalid")


def test_one_call_is_told_that_its_session_expired(salesforce: Salesforce, faults: Faults) -> None:
    faults.expire_session("query", scope="call")
    assert error(salesforce("GET", QUERY)) == EXPIRED
    assert salesforce("GET", QUERY).ok


def test_a_token_ends_and_signing_in_gives_another(salesforce: Salesforce, faults: Faults) -> None:
    before = salesforce.token
    faults.expire_session(scope="token")
    assert [error(salesforce("GET", QUERY)) for _ in range(2)] == [EXPIRED] * 2
    salesforce.sign_in()
    assert salesforce.token != before
    assert salesforce("GET", QUERY).ok


def test_all_sessions_end_at_once_without_waiting_for_a_call(salesforce: Salesforce, faults: Faults) -> None:
    rule = faults.add("salesforce", "session_expired", now=True)
    assert error(salesforce("GET", QUERY)) == EXPIRED
    assert (rule.acted, rule.facts()["state"]) == (1, "spent")


def test_signing_in_is_no_call_whose_session_could_expire(salesforce: Salesforce, faults: Faults) -> None:
    rule = faults.expire_session(scope="call", always=True)
    assert salesforce.sign_in().ok
    assert rule.offered == 0


def test_no_token_is_given_out(salesforce: Salesforce, faults: Faults) -> None:
    faults.no_token("invalid_grant", "user is locked", times=2)
    for _ in range(2):
        answer = salesforce.sign_in()
        assert answer.status_code == 400
        assert answer.json() == {"error": "invalid_grant", "error_description": "user is locked"}
    assert salesforce.sign_in().ok


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("daily", "TotalRequests Limit exceeded."),
        ("concurrent", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
    ],
)
def test_a_request_limit_is_exceeded(salesforce: Salesforce, faults: Faults, limit: str, message: str) -> None:
    faults.add("salesforce", "request_limit_exceeded", parameters={"limit": limit})
    assert error(salesforce("GET", QUERY)) == (403, "REQUEST_LIMIT_EXCEEDED", message)
    assert salesforce("GET", QUERY).ok


def test_the_server_is_unavailable(salesforce: Salesforce, faults: Faults) -> None:
    faults.add("salesforce", "server_unavailable", "query")
    assert error(salesforce("GET", QUERY))[:2] == (503, "SERVER_UNAVAILABLE")


LOCKED = "unable to obtain exclusive access to this record or 1 records: "


def test_a_record_is_locked_whichever_call_wants_to_write_it(
    salesforce: Salesforce, faults: Faults, account: str
) -> None:
    rule = faults.lock_row("Account", times=4, key=account)
    change = {"Phone": "03-5550-0100"}
    direct = salesforce("PATCH", f"sobjects/Account/{account}", change)
    assert error(direct) == (400, "UNABLE_TO_LOCK_ROW", LOCKED + account)
    (part,) = salesforce.composite(("a", "PATCH", f"sobjects/Account/{account}", change))
    assert part["body"][0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    row = {"attributes": {"type": "Account"}, "Id": account, **change}
    (result,) = salesforce("PATCH", "composite/sobjects", {"records": [row]}).json()
    assert (result["success"], result["errors"][0]["statusCode"]) == (False, "UNABLE_TO_LOCK_ROW")
    rows = salesforce.composite(("r", "PATCH", "composite/sobjects", {"allOrNone": True, "records": [row]}))
    assert rows[0]["body"][0]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert rule.acted == 4
    assert salesforce("PATCH", f"sobjects/Account/{account}", change).status_code == 204


def test_a_lock_on_one_row_leaves_its_neighbours_alone(salesforce: Salesforce, faults: Faults, account: str) -> None:
    other = salesforce.create("Account", Name="Kenji")
    faults.lock_row("Account", key=account)
    rows = [{"attributes": {"type": "Account"}, "Id": each, "Fax": "1"} for each in (account, other)]
    results = salesforce("PATCH", "composite/sobjects", {"allOrNone": False, "records": rows}).json()
    assert [each["success"] for each in results] == [False, True]


def test_the_support_agents_own_changes_are_never_locked(salesforce: Salesforce, faults: Faults, account: str) -> None:
    rule = faults.lock_row("*", verb="*", always=True)
    sandbox = salesforce.sandbox
    sandbox.control(f"/control/desk/accounts/{account}/identity", {"status": "Verified"})
    assert rule.offered == 0


def test_any_error_comes_instead_of_the_work(salesforce: Salesforce, faults: Faults, account: str) -> None:
    faults.salesforce_error("sobjects.create Case", "FIELD_INTEGRITY_EXCEPTION", "Not today")
    answer = salesforce("POST", "sobjects/Case", case(account))
    assert error(answer) == (400, "FIELD_INTEGRITY_EXCEPTION", "Not today")
    assert cases(salesforce, account) == []


def test_any_error_comes_after_the_work_and_the_ledger_says_so(
    salesforce: Salesforce, faults: Faults, account: str
) -> None:
    correlation = str(uuid.uuid4())
    faults.salesforce_error("sobjects.create Case", "UNKNOWN_EXCEPTION", "Oops", at="after")
    answer = salesforce("POST", "sobjects/Case", case(account), correlation=correlation)
    assert error(answer)[1:] == ("UNKNOWN_EXCEPTION", "Oops")
    assert cases(salesforce, account) == ["Hello"]
    (row,) = salesforce.sandbox.ledger(system="salesforce", correlation_id=correlation)
    assert (row["operation"], row["detail"]["status"], row["detail"]["done"]) == ("sobjects.create Case", 400, 201)


def test_the_loser_of_a_race_finds_its_record_made(salesforce: Salesforce, faults: Faults) -> None:
    ref = str(uuid.uuid4())
    faults.add("salesforce", "duplicate_value", "sobjects.create Account")
    status, code, message = error(salesforce("POST", "sobjects/Account", {"Name": "Aiko", "Portal_Ref__c": ref}))
    made = salesforce("GET", f"sobjects/Account/Portal_Ref__c/{ref}").json()["Id"]
    assert (status, code) == (400, "DUPLICATE_VALUE")
    assert message == f"duplicate value found: Portal_Ref__c duplicates value on record with id: {made}"


@pytest.mark.parametrize("named", ["create Case", "second"])
def test_a_part_of_a_composite_fails_by_its_operation_or_its_name(
    salesforce: Salesforce, faults: Faults, account: str, named: str
) -> None:
    rule = faults.part_fails(named, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
    first, second, third = salesforce.composite(
        ("first", "PATCH", f"sobjects/Account/{account}", {"Fax": "77"}),
        ("second", "POST", "sobjects/Case", case(account)),
        ("third", "GET", f"sobjects/Account/{account}", None),
    )
    assert second["body"][0]["errorCode"] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    assert {part["body"][0]["errorCode"] for part in (first, third)} == {ROLLED_BACK}
    assert salesforce("GET", f"sobjects/Account/{account}").json()["Fax"] is None
    assert rule.acted == 1


def test_without_all_or_none_the_other_parts_are_done(salesforce: Salesforce, faults: Faults, account: str) -> None:
    faults.part_fails("second")
    answers = salesforce.composite(
        ("first", "POST", "sobjects/Case", case(account, "one")),
        ("second", "POST", "sobjects/Case", case(account, "two")),
        ("third", "POST", "sobjects/Case", case(account, "three")),
        all_or_none=False,
    )
    assert [each["httpStatusCode"] for each in answers] == [201, 400, 201]
    assert cases(salesforce, account) == ["one", "three"]


def test_the_answer_of_one_composite_is_lost_among_others(salesforce: Salesforce, faults: Faults, account: str) -> None:
    rule = faults.lose_answer("salesforce", "composite", part="sobjects.create Case")
    salesforce.composite(("other", "PATCH", f"sobjects/Account/{account}", {"Fax": "1"}))
    assert rule.offered == 0
    with pytest.raises(OSError):  # noqa: PT011 - whatever the client makes of a broken connection
        salesforce.composite(("mine", "POST", "sobjects/Case", case(account)))
    assert cases(salesforce, account) == ["Hello"]


def test_a_composite_is_found_by_the_records_in_it(salesforce: Salesforce, faults: Faults, account: str) -> None:
    other = salesforce.create("Account", Name="Kenji")
    by_address = faults.html("salesforce", "composite", key=account, contains="Fax")
    by_field = faults.html("salesforce", "composite", key=account, contains="Subject")
    salesforce.composite(("a", "PATCH", f"sobjects/Account/{other}", {"Fax": "1"}))
    for part in (
        ("b", "PATCH", f"sobjects/Account/{account}", {"Fax": "1"}),
        ("c", "POST", "sobjects/Case", case(account)),
    ):
        with pytest.raises(AssertionError, match="down for maintenance"):
            salesforce.composite(part)
    assert (by_address.acted, by_field.acted) == (1, 1)


def test_a_call_is_found_by_what_it_says(salesforce: Salesforce, faults: Faults, account: str) -> None:
    rule = faults.salesforce_error("sobjects.create Case", "UNKNOWN_EXCEPTION", contains="lost router", always=True)
    assert salesforce("POST", "sobjects/Case", case(account, "Moving house")).ok
    assert not salesforce("POST", "sobjects/Case", case(account, "My lost router")).ok
    assert (rule.offered, rule.acted) == (1, 1)


def test_a_query_is_found_by_its_words_and_a_record_by_its_address(
    salesforce: Salesforce, faults: Faults, account: str
) -> None:
    asked = faults.html("salesforce", "query", contains="FROM Pricebook2")
    read = faults.html("salesforce", "sobjects.read Account", key=account[:15])
    assert salesforce("GET", QUERY).ok
    assert salesforce("GET", "query?q=SELECT+Id+FROM+Pricebook2").status_code == 503
    assert salesforce("GET", f"sobjects/Account/{account}").status_code == 503
    assert (asked.acted, read.acted) == (1, 1)


def test_what_is_not_there_is_not_there_under_rules_either(salesforce: Salesforce, faults: Faults) -> None:
    faults.add("salesforce", "content_type", parameters={"content_type": "text/plain"}, always=True)
    answer = salesforce.session.get(f"{salesforce.sandbox.urls['salesforce_url']}{BASE}/nowhere", timeout=15)
    assert answer.status_code == 401
    assert salesforce("GET", "nowhere").status_code == 404
    assert salesforce("POST", "composite", {"compositeRequest": "nonsense"}).status_code == 400
