"""Carol finds whatever a caller reads out, sees any record, and works through cases, lines and the daily run."""

from datetime import timedelta

import pytest

from sandbox.desk import room
from sandbox.salesforce.seed import AGENT_USERNAME, INTEGRATION_USERNAME
from sandbox.world import World
from tests.sandbox.whmcs.asgi import Browser, words

EID = "89049032005108882600091234567884"


def links(page: str, start: str) -> list[str]:
    return [part.split('"')[0] for part in page.split('href="')[1:] if part.startswith(start)]


def found(browser: Browser, text: str, start: str) -> list[str]:
    return links(browser.get(f"/find?q={text}").text, start)


@pytest.mark.parametrize(
    "text",
    ["Santos", "santos maria", "104882", "maria.santos%40example.jp", "MARIA.SANTOS%40EXAMPLE.JP"],
)
def test_a_customer_is_found_by_name_number_and_address(browser: Browser, account: str, text: str) -> None:
    assert f"/customers/{account}" in found(browser, text, "/customers/")


@pytest.mark.parametrize("text", ["SX-4827-193", "sx-4827", "{id}", "{short}", "{number}"])
def test_an_order_is_found_by_its_numbers_and_ids(world: World, browser: Browser, order: str, text: str) -> None:
    number = world.org.existing("Order", order)["OrderNumber"]
    asked = text.format(id=order, short=order[:15], number=number)
    assert f"/orders/{order}" in found(browser, asked, "/orders/")


def test_an_order_is_found_by_what_it_is_called_in_whmcs(world: World, browser: Browser, order: str) -> None:
    world.org.update("Order", order, {"WHMCS_Order_Id__c": 4711}, world.org.user_named(INTEGRATION_USERNAME))
    assert f"/orders/{order}" in found(browser, "4711", "/orders/")


def test_a_correlation_id_leads_to_the_ledger(world: World, browser: Browser) -> None:
    world.ledger.write("whmcs", "AddOrder", correlation_id="0193-walk")
    assert "/ledger?word=0193-walk" in found(browser, "0193-walk", "/ledger?")


@pytest.mark.parametrize("text", ["nobody", "", "%25", "'", "801000000000000AAA", "9" * 300, "\U0010ffff", "%00"])
def test_what_nothing_is_called_finds_nothing(browser: Browser, text: str) -> None:
    page = browser.get(f"/find?q={text}")
    assert page.status == 200
    assert "Nothing goes by that" in words(page) or "Find any record" in words(page)


def test_a_record_shows_its_fields_and_leads_to_its_parents_and_children(browser: Browser, order: str) -> None:
    page = browser.get(f"/records/Order/{order}")
    assert "SX-4827-193:abc-0" in words(page)
    (item,) = links(page.text, "/records/OrderItem/")
    assert f"/records/Order/{order}" in links(browser.get(item).text, "/records/Order/")
    assert browser.get("/records/Nothing/x").status == 404
    assert browser.get("/records/Order/801000000000000AAA").status == 404


def test_every_object_of_the_org_can_be_looked_through(world: World, browser: Browser) -> None:
    listed = links(browser.get("/records").text, "/records/")
    assert set(listed) == {f"/records/{each.name}" for each in world.org.schema if not each.event}
    for url in listed:
        assert browser.get(url).status == 200


def test_a_long_list_comes_in_pages(
    world: World, browser: Browser, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PAGE_SIZE", 2)
    total = len(world.org.table("Account"))
    seen: list[str] = []
    for page in range(1, (total + 1) // 2 + 1):
        shown = browser.get(f"/customers?page={page}")
        seen += links(shown.text, "/customers/")
        assert ("Older" in words(shown)) == (page * 2 < total)
    assert len(seen) == len(set(seen)) == total
    assert account in seen[-1]


def test_only_those_who_wait_are_listed(world: World, browser: Browser, account: str) -> None:
    user = world.org.user_named(INTEGRATION_USERNAME)
    world.org.update("Account", account, {"Id_Verification_Status__c": "Pending"}, user)
    assert links(browser.get("/customers?identity=Pending").text, "/customers/") == [f"/customers/{account}"]
    assert "1 papers to look at" in words(browser.get("/"))


def test_an_answer_to_a_case_is_public_and_the_case_waits_for_the_customer(
    world: World, browser: Browser, account: str
) -> None:
    asked = {"AccountId": account, "Subject": "No signal", "Status": "New", "Type": "General Inquiry"}
    case = world.org.create("Case", asked, world.org.user_named(INTEGRATION_USERNAME))

    page = browser.post(f"/cases/{case}/answer", back="/cases", answer="Please restart the router.")

    assert "Please restart the router." in words(page)
    (comment,) = world.org.find("CaseComment", "ParentId", case)
    assert (comment["CommentBody"], comment["IsPublished"]) == ("Please restart the router.", True)
    assert comment["CreatedById"] == world.org.user_named(AGENT_USERNAME)
    assert world.org.existing("Case", case)["Status"] == "Waiting for Customer"


def test_equipment_that_came_back_is_marked_on_the_opportunity(world: World, browser: Browser, account: str) -> None:
    head = {"AccountId": account, "Name": "Internet", "StageName": "△Cancelling", "CloseDate": "2026-12-31"}
    opportunity = world.org.create("Opportunity", head, world.org.user_named(INTEGRATION_USERNAME))
    assert "Equipment returned" in words(browser.get(f"/customers/{account}"))

    page = browser.post(f"/opportunities/{opportunity}/returned", back=f"/customers/{account}")

    assert "equipment: Returned" in words(page)
    assert world.org.existing("Opportunity", opportunity)["LineReturn__c"] == "Returned"


def test_a_ticket_of_the_order_is_finished_on_the_orders_page(world: World, browser: Browser, order: str) -> None:
    browser.post("/esim/pace", pace="hand")
    asked = {"line_ref": "maria-1", "order_ref": "SX-4827-193", "plan": "data-10", "eid": EID}
    ticket = world.esim.accept("activate", "key", asked, "")
    page = browser.get(f"/orders/{order}")
    assert "maria-1" in words(page)

    browser.post(f"/esim/tickets/{ticket.ref}/finish", back=f"/orders/{order}")

    assert world.esim.line("maria-1").status == "active"
    again = browser.post(f"/esim/tickets/{ticket.ref}/fail", back=f"/orders/{order}")
    assert "The eSIM provider refused: the ticket is done already" in words(again)
    (line,) = links(browser.get(f"/find?q={EID}").text, "/esim/lines/")
    assert "maria-1" in words(browser.get(line))


def test_the_daily_run_is_done_once_a_day(world: World, browser: Browser) -> None:
    assert "is done" in words(browser.post("/billing/daily", back="/billing"))
    assert "was done already" in words(browser.post("/billing/daily", back="/billing"))
    world.clock.advance(timedelta(days=1))
    assert "is done" in words(browser.post("/billing/daily", back="/billing"))


PAGES = ["/", "/customers", "/cases", "/billing", "/esim", "/records", "/find", "/faults/", "/mail/", "/ledger"]


@pytest.mark.parametrize("url", [*PAGES, "/billing/clients/999", "/esim/lines/999"])
def test_every_page_says_that_it_is_a_simulation(browser: Browser, url: str) -> None:
    assert "Simulation." in words(browser.get(url))
