"""The desk: its buttons follow the org's own rules, and its pages show what every system holds."""

from typing import Any

import pytest

from sandbox.desk.dossier import events_of
from sandbox.salesforce.seed import INTEGRATION_USERNAME
from sandbox.whmcs.api import Call, answer
from sandbox.whmcs.php import nest
from sandbox.world import World
from tests.sandbox.whmcs.asgi import Browser, send_json, words
from tests.sandbox.whmcs.php_arrays import packed


def state(world: World, order: str) -> tuple[Any, Any]:
    record = world.org.existing("Order", order)
    return record["Status"], record["Activation_Status__c"]


def test_approving_publishes_one_event(world: World, browser: Browser, order: str) -> None:
    page = browser.post(f"/orders/{order}/approve", back="/")
    assert state(world, order) == ("Approved", "Activating")
    (event,) = events_of(world, order)
    assert (event.fields["OrderId__c"], event.fields["CorrelationId__c"]) == (order, "c-9")
    assert "An event asks the portal to provision it." in words(page)
    browser.post(f"/orders/{order}/approve", back="/")
    assert len(events_of(world, order)) == 1


def test_a_retry_needs_a_failure_first(world: World, browser: Browser, order: str) -> None:
    browser.post(f"/orders/{order}/approve")
    again = browser.post(f"/orders/{order}/activate")
    assert "No event was published." in words(again)
    browser.post(f"/orders/{order}/fail", error="The line is not ready")
    assert state(world, order) == ("Approved", "Failed")
    assert "The line is not ready" in words(browser.get("/"))
    browser.post(f"/orders/{order}/activate")
    assert len(events_of(world, order)) == 2
    assert world.org.existing("Order", order)["Activation_Error__c"] is None


def test_the_notice_stands_once_on_the_page_the_button_was_on(browser: Browser, order: str) -> None:
    reply = browser.post(f"/orders/{order}/cancel", back=f"/orders/{order}", follow=False)
    location = reply.headers["location"]
    assert location.startswith(f"/orders/{order}?notice=")
    assert "→ Cancelled" in words(browser.get(location))
    assert "→ Cancelled" not in words(browser.get(location))


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_a_button_never_leads_away(browser: Browser, order: str, back: str) -> None:
    reply = browser.post(f"/orders/{order}/cancel", back=back, follow=False)
    assert reply.headers["location"].startswith("/?notice=")


def test_salesforces_refusal_is_shown_in_its_words(browser: Browser) -> None:
    page = browser.post("/orders/801000000000000AAA/approve", back="/")
    assert "Salesforce refused: The requested resource does not exist (NOT_FOUND)" in words(page)
    assert browser.get("/orders/801000000000000AAA").status == 404


def test_a_form_from_elsewhere_changes_nothing(world: World, browser: Browser, order: str) -> None:
    assert browser.post(f"/orders/{order}/approve", origin="http://evil.example").status == 403
    assert browser.post(f"/orders/{order}/approve", origin="null").status == 403
    assert state(world, order)[0] == "Pending Review"
    assert send_json(browser.app, f"/orders/{order}/approve").status == 403, "no Origin and no Referer"


def test_an_answer_about_an_address_closes_its_case_and_moves_its_opportunity(
    world: World, browser: Browser, account: str
) -> None:
    org, user = world.org, world.org.user_named(INTEGRATION_USERNAME)
    asked = {"AccountId": account, "Name": "Internet", "StageName": "Introduction", "CloseDate": "2026-12-21"}
    source = {"Portal_Source__c": "Portal - Internet Eligibility Request"}
    opportunity = org.create("Opportunity", {**asked, **source}, user)
    case = org.create("Case", {"AccountId": account, "Type": "Eligibility Check", "Status": "New"}, user)
    browser.post(f"/customers/{account}/eligibility", value="House 10G")
    record = org.existing("Account", account)
    assert (record["Internet_Eligibility__c"], record["Internet_Eligibility_Status__c"]) == ("House 10G", "Checked")
    assert org.existing("Case", case)["IsClosed"]
    assert org.existing("Opportunity", opportunity)["StageName"] == "Ready"


def test_papers_are_verified_or_rejected_with_a_message(world: World, browser: Browser, account: str) -> None:
    browser.post(f"/customers/{account}/identity", decision="reject", message="Too dark")
    record = world.org.existing("Account", account)
    assert (record["Id_Verification_Status__c"], record["Id_Verification_Rejection_Message__c"]) == (
        "Rejected",
        "Too dark",
    )
    browser.post(f"/customers/{account}/identity", decision="verify")
    record = world.org.existing("Account", account)
    assert (record["Id_Verification_Status__c"], record["Id_Verification_Rejection_Message__c"]) == ("Verified", None)


def test_programs_have_the_same_buttons(world: World, browser: Browser, order: str, account: str) -> None:
    app = browser.app
    said = send_json(app, f"/control/desk/orders/{order}/approve").json()["said"]
    assert "Approved / Activating" in said
    send_json(app, f"/control/desk/orders/{order}/fail", {"error": "by test"})
    assert world.org.existing("Order", order)["Activation_Error__c"] == "by test"
    send_json(app, f"/control/desk/orders/{order}/activate")
    assert len(events_of(world, order)) == 2
    send_json(app, f"/control/desk/accounts/{account}/eligibility", {"value": "Not available"})
    assert world.org.existing("Account", account)["Internet_Eligibility__c"] == "Not available"
    send_json(app, f"/control/desk/accounts/{account}/identity", {"status": "Verified"})
    assert world.org.existing("Account", account)["Id_Verification_Status__c"] == "Verified"


def test_programs_are_refused_with_reasons(browser: Browser, order: str, account: str) -> None:
    app = browser.app
    assert send_json(app, f"/control/desk/orders/{order}/explode").status == 404
    missing = send_json(app, "/control/desk/orders/801000000000000AAA/approve")
    assert (missing.status, missing.json()["errorCode"]) == (404, "NOT_FOUND")
    assert send_json(app, f"/control/desk/accounts/{account}/eligibility").status == 422
    assert send_json(app, f"/control/desk/accounts/{account}/identity", {"status": "Maybe"}).status == 422
    assert browser.post(f"/control/desk/orders/{order}/approve", origin="http://evil.example").status == 403


def whmcs(world: World, action: str, **fields: str) -> None:
    credentials = {"identifier": "sandbox-identifier", "secret": "sandbox-secret"}
    body, _ = answer(world.whmcs, Call(nest({**credentials, "action": action, **fields}.items()), "127.0.0.1", "c-9"))
    assert body["result"] == "success"


def test_an_orders_page_gathers_every_system(world: World, browser: Browser, order: str) -> None:
    whmcs(world, "AddClient", firstname="Maria", lastname="S", email="m@example.jp", password2="x", skipvalidation="1")
    mark = packed({5101: order})
    whmcs(world, "AddOrder", clientid="1", paymentmethod="stripe", pid="101", customfields=mark)
    whmcs(world, "AcceptOrder", orderid="1")
    browser.post(f"/orders/{order}/approve")
    text = words(browser.get(f"/orders/{order}"))
    for expected in ("SX-4827-193", "Home Apartment 1G", "service 1", "Invoice 1", "replay id", "AcceptOrder", "c-9"):
        assert expected in text


def test_a_client_whom_nobody_gave_a_customer_number_is_shown_like_the_others(world: World, browser: Browser) -> None:
    whmcs(world, "AddClient", firstname="Aiko", lastname="T", email="a@example.jp", password2="x", skipvalidation="1")
    for page in ("/billing", "/billing/clients/1"):
        text = words(browser.get(page))
        assert "a@example.jp" in text
        assert "customer number" not in text


@pytest.mark.parametrize("path", ["/", "/?status=Failed", "/customers", "/cases", "/billing", "/ledger", "/mail/"])
def test_every_page_opens_with_and_without_content(browser: Browser, order: str, path: str) -> None:
    page = browser.get(path)
    assert page.status == 200
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_overview_reloads_itself_only_when_asked(browser: Browser) -> None:
    assert "http-equiv" not in browser.get("/").text
    assert '<meta http-equiv="refresh" content="5">' in browser.get("/?refresh=5").text
    assert '<meta http-equiv="refresh" content="2">' in browser.get("/?refresh=0").text


def test_the_ledger_is_narrowed_by_system_and_word(browser: Browser, order: str) -> None:
    browser.post(f"/orders/{order}/cancel")
    assert "order.cancel" in words(browser.get(f"/ledger?system=desk&word={order}"))
    assert "order.cancel" not in words(browser.get("/ledger?system=mail"))


def test_a_case_is_closed(world: World, browser: Browser, account: str) -> None:
    user = world.org.user_named(INTEGRATION_USERNAME)
    case = world.org.create("Case", {"AccountId": account, "Type": "General Inquiry", "Status": "New"}, user)
    browser.post(f"/cases/{case}/close", back="/cases")
    assert world.org.existing("Case", case)["IsClosed"]
