"""Single sign-on and the pages behind it: whmcs-wire §3.1."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox import people
from sandbox.config import Config
from sandbox.whmcs.api import Call, answer
from sandbox.whmcs.php import parse_urlencoded
from sandbox.world import World
from tests.sandbox.whmcs.asgi import Browser, send_json, words
from tests.sandbox.whmcs.conftest import CREDENTIALS

Tell = Callable[..., dict[str, Any]]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(Config(state=tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def tell(world: World) -> Tell:
    """The API of this world, with Aiko as client 1."""

    def post(action: str, **fields: Any) -> dict[str, Any]:
        form = parse_urlencoded(urlencode({**CREDENTIALS, "action": action, **fields}).encode())
        return answer(world.whmcs, Call(form, "127.0.0.1", ""))[0]

    post("AddClient", firstname="Aiko", lastname="Tanaka", email="aiko@example.jp", password2="x", skipvalidation=1)
    return post


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(people.app(world))


def link(tell: Tell, **fields: Any) -> str:
    url: str = tell("CreateSsoToken", client_id=1, **fields)["redirect_url"]
    return url


def test_a_token_is_forty_hex_digits_and_leads_to_plain_http(tell: Tell) -> None:
    made = tell("CreateSsoToken", client_id=1, destination="clientarea:billing_info")
    assert len(bytes.fromhex(made["access_token"])) == 20
    path = f"/whmcs/oauth/singlesignon.php?access_token={made['access_token']}"
    assert made["redirect_url"] == f"http://localhost:8480{path}"


def test_billing_info_is_the_payment_methods_page(tell: Tell, browser: Browser) -> None:
    page = browser.get(link(tell, destination="clientarea:billing_info"))
    assert (page.status, "Payment methods" in words(page)) == (200, True)
    assert "WHMCS sandbox" in words(page)


def test_a_token_works_once(tell: Tell, browser: Browser) -> None:
    url = link(tell)
    assert browser.get(url).status == 200
    again = Browser(browser.app).get(url)
    assert (again.status, "already been used" in words(again)) == (403, True)


def test_a_sign_on_is_the_users_last_login(tell: Tell, browser: Browser, world: World) -> None:
    assert tell("GetClientsDetails", clientid="1")["client"]["lastlogin"] == "No Login Logged"
    browser.get(tell("CreateSsoToken", client_id="1")["redirect_url"])
    today = f"Date: {world.whmcs.today()} "
    assert tell("GetClientsDetails", clientid="1")["client"]["lastlogin"].startswith(today)


def test_a_token_lives_sixty_seconds_of_the_sandboxs_clock(tell: Tell, browser: Browser, world: World) -> None:
    early, late = link(tell), link(tell)
    world.clock.advance(timedelta(seconds=55))
    assert browser.get(early).status == 200
    world.clock.advance(timedelta(seconds=10))
    expired = browser.get(late)
    assert (expired.status, "expired" in words(expired)) == (403, True)


def test_a_closed_client_is_turned_away_at_redemption(tell: Tell, browser: Browser) -> None:
    url = link(tell)
    tell("UpdateClient", clientid=1, status="Closed")
    assert "Closed" in words(browser.get(url))


def test_a_custom_redirect_stays_inside_the_client_area(tell: Tell, browser: Browser) -> None:
    for path in ("//evil.example/x", "https://evil.example/", "/viewinvoice.php?id=1"):
        reply = browser.get(link(tell, destination="sso:custom_redirect", sso_redirect_path=path), follow=False)
        assert reply.headers["location"].startswith("/whmcs/")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "A valid client_id or user_id is required"),
        ({"client_id": 9}, "Invalid client_id"),
        ({"user_id": 9}, "Invalid user_id"),
        ({"client_id": 1, "user_id": 2}, "Invalid user_id for client"),
        ({"client_id": 1, "destination": "clientarea:payment_methods"}, "Invalid destination"),
    ],
)
def test_tokens_are_refused(tell: Tell, fields: dict[str, Any], message: str) -> None:
    tell("AddClient", firstname="Ben", lastname="Ito", email="ben@example.jp", password2="x", skipvalidation=1)
    assert tell("CreateSsoToken", **fields)["message"] == message


def test_a_user_alone_is_enough(tell: Tell) -> None:
    assert tell("CreateSsoToken", user_id=1)["result"] == "success"


def test_sign_on_can_be_blocked_by_the_client(tell: Tell, world: World) -> None:
    client = world.whmcs.clients.get(1)
    assert client
    client.allow_sso = False
    world.whmcs.clients.put(client)
    assert tell("CreateSsoToken", client_id=1)["message"] == "SSO authentication blocked for client 1"


def test_a_card_is_added_listed_and_removed(tell: Tell, browser: Browser, world: World) -> None:
    world.whmcs.configure(portal_url="http://localhost:8000/account/payment/")
    page = browser.get(link(tell, destination="clientarea:billing_info"))
    assert 'name="card_number"' in page.text
    added = browser.post(
        "/whmcs/index.php?rp=/account/paymentmethods/add", card_number="4242424242424242", card_expiry="08/40"
    )
    assert "Visa ending in 4242" in words(added)
    assert 'href="http://localhost:8000/account/payment/"' in added.text
    (method,) = tell("GetPayMethods", clientid=1)["paymethods"]
    assert (method["card_last_four"], method["expiry_date"]) == ("4242", "08/40")
    browser.post(f"/whmcs/index.php?rp=/account/paymentmethods/delete/{method['id']}")
    assert tell("GetPayMethods", clientid=1)["paymethods"] == []


def test_a_wrong_card_is_explained_beside_its_field(tell: Tell, browser: Browser) -> None:
    browser.get(link(tell))
    refused = browser.post("/whmcs/index.php?rp=/account/paymentmethods/add", card_number="123", card_expiry="08/40")
    assert refused.status == 422
    assert 'aria-describedby="card_number-wrong"' in refused.text


def test_a_card_of_another_client_cannot_be_removed(tell: Tell, browser: Browser, world: World) -> None:
    tell("AddClient", firstname="Ben", lastname="Ito", email="ben@example.jp", password2="x", skipvalidation=1)
    send_json(browser.app, "/control/whmcs/clients/2/paymethods")
    browser.get(link(tell))
    browser.post("/whmcs/index.php?rp=/account/paymentmethods/delete/1")
    assert len(tell("GetPayMethods", clientid=2)["paymethods"]) == 1


def test_pages_need_a_session_and_forms_their_own_origin(tell: Tell, browser: Browser) -> None:
    assert browser.get("/whmcs/index.php?rp=/account/paymentmethods").status == 401
    browser.get(link(tell))
    url = "/whmcs/index.php?rp=/account/paymentmethods/add"
    foreign = browser.post(url, origin="http://evil.example", card_number="4242424242424242", card_expiry="08/40")
    assert foreign.status == 403
    assert tell("GetPayMethods", clientid=1)["paymethods"] == []
    browser.post("/whmcs/logout.php")
    assert browser.get("/whmcs/clientarea.php").status == 401


def test_an_invoice_is_paid_by_its_client_alone(tell: Tell, browser: Browser) -> None:
    tell("AddClient", firstname="Ben", lastname="Ito", email="ben@example.jp", password2="x", skipvalidation=1)
    for client in (1, 2):
        tell("AddOrder", clientid=client, paymentmethod="stripe", pid=101)
    send_json(browser.app, "/control/whmcs/clients/1/paymethods")
    browser.get(link(tell, destination="sso:custom_redirect", sso_redirect_path="viewinvoice.php?id=1"))
    assert browser.get("/whmcs/viewinvoice.php?id=2").status == 404
    assert "Paid" in words(browser.post("/whmcs/viewinvoice.php?id=1"))
    paid = tell("GetInvoice", invoiceid=1)
    assert (paid["status"], paid["balance"]) == ("Paid", "0.00")
    assert tell("GetInvoice", invoiceid=2)["status"] == "Unpaid"
    assert "Home Apartment 1G" in words(browser.get("/whmcs/clientarea.php"))


def test_without_a_card_an_invoice_leads_to_adding_one(tell: Tell, browser: Browser) -> None:
    tell("AddOrder", clientid=1, paymentmethod="stripe", pid=101)
    page = browser.get(link(tell, destination="sso:custom_redirect", sso_redirect_path="viewinvoice.php?id=1"))
    assert "Add a card" in words(page)
    refused = browser.post("/whmcs/viewinvoice.php?id=1")
    assert (refused.status, "No card is stored" in words(refused)) == (422, True)
    assert tell("GetInvoice", invoiceid=1)["status"] == "Unpaid"


def test_a_declined_card_is_told_on_the_invoice_and_charges_nothing(tell: Tell, browser: Browser) -> None:
    tell("AddOrder", clientid=1, paymentmethod="stripe", pid=101)
    send_json(browser.app, "/control/whmcs/clients/1/paymethods", {"number": "4000000000000002"})
    browser.get(link(tell))
    refused = browser.post("/whmcs/viewinvoice.php?id=1")
    assert (refused.status, "The payment failed" in words(refused)) == (422, True)
    unpaid = tell("GetInvoice", invoiceid=1)
    assert (unpaid["status"], unpaid["transactions"]) == ("Unpaid", "")


def test_invoices_have_a_page_of_their_own_and_drafts_are_not_on_it(tell: Tell, browser: Browser) -> None:
    tell("AddOrder", clientid=1, paymentmethod="stripe", pid=101)
    tell("CreateInvoice", userid=1, draft=1, itemdescription1="Not yet", itemamount1="10")
    page = browser.get(link(tell, destination="clientarea:invoices"))
    assert ("Invoice 1" in words(page), "Invoice 2" in words(page)) == (True, False)
    assert browser.get("/whmcs/viewinvoice.php?id=2").status == 404


def test_the_control_api_stores_cards_and_shows_state(tell: Tell, browser: Browser) -> None:
    app = browser.app
    stored = send_json(app, "/control/whmcs/clients/1/paymethods", {"number": "3566002020360505", "expiry": "01/41"})
    assert (stored.status, stored.json()["brand"]) == (201, "JCB")
    assert send_json(app, "/control/whmcs/clients/9/paymethods").status == 404
    assert send_json(app, "/control/whmcs/clients/1/paymethods", {"number": "1"}).status == 422
    tell("AddOrder", clientid=1, paymentmethod="stripe", pid=101)
    state = browser.get("/control/whmcs/state?client=1").json()
    assert [len(state[kind]) for kind in ("orders", "services", "invoices")] == [1, 1, 1]
    assert browser.get("/control/whmcs/state?mark=801X").json()["orders"] == []


def test_the_control_api_changes_settings_and_hides_secrets(browser: Browser, world: World) -> None:
    app, url = browser.app, "/control/whmcs/settings"
    assert send_json(app, url, {"quirks": "legacy-strings"}).json()["quirks"] == "legacy-strings"
    assert send_json(app, url, {"quirks": "unheard-of"}).status == 422
    assert send_json(app, url, {"no_such_setting": 1}).status == 422
    assert send_json(app, url, {"module_failure": {"times": "sometimes"}}).status == 422
    assert "sandbox-secret" not in browser.get(url).text
    assert browser.post(url, origin="http://evil.example").status == 403
    assert world.whmcs.settings.quirks == "legacy-strings"
