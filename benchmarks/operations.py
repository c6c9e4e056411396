"""The operations that have a budget of remote calls, each run once against the sandbox, as a worker or page runs it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

from django.conf import settings
from django.core.cache import cache
from django.test import Client

from accounts import refresh
from accounts.models import User
from catalog.eligibility import sending
from integrations import correlation, gateway
from integrations.salesforce.schemas import NewAccount
from orders import cancelling
from orders.models import Order
from provisioning import whmcs_products
from provisioning import worker as provisioning
from tests.accounts.conftest import new_journey, run
from tests.catalog.eligibility.conftest import asked
from tests.orders.steps import a_check, order_now
from tests.people import make_customer, signed_in
from tests.provisioning.shop import Shop
from tests.sandbox_process import Buttons, Sandbox

NOT_A_CALL = {"composite/subrequest", "token", "event.publish", "module.create"}
PLAIN_PAGES = (
    "/",
    "/plans/",
    "/plans/internet/",
    "/plans/vpn/VPN-US/",
    "/overview/",
    "/orders/",
    "/cart/",
    "/account/",
)


@dataclass
class World:
    """The sandbox, and a customer who is known in all of its systems."""

    buttons: Buttons
    user: User

    def call(self, name: str, operation: Callable[[], Any], *, salesforce: int = 0, whmcs: int = 0) -> str:
        """Runs it; one line with what it asked and what it may ask."""
        before = self.buttons.last_ledger_id()
        with correlation.bound(""):
            operation()
        rows = self.buttons.ledger(after=before)
        cells = (_cell("salesforce", salesforce, rows), _cell("whmcs", whmcs, rows))
        return f"{name:44} {cells[0]:52} {cells[1]}"


def lines(people_url: str) -> Iterator[str]:
    """One line per operation, in the order in which a customer meets them."""
    buttons = Buttons(people_url)
    world = World(buttons, _customer(buttons))
    yield from _signing_up(world)
    yield from _ordering(world)
    yield from _provisioning(world)
    yield from _looking(world)
    tokens = len(buttons.ledger(system="salesforce", operation="token"))
    yield f"{'tokens, this and the process before':44} salesforce {tokens} of 1"


def _signing_up(world: World) -> Iterator[str]:
    new, known = new_journey(f"{uuid4()}@example.jp"), new_journey("maria.santos@example.jp", number="104882")
    yield world.call("sign-up, new customer", lambda: run(new), salesforce=3, whmcs=2)
    yield world.call("sign-up with a customer number", lambda: run(known), salesforce=2, whmcs=2)
    request = asked(world.user)
    yield world.call("address check", lambda: sending.send(request.pk), salesforce=2)


def _ordering(world: World) -> Iterator[str]:
    a_check(world.user, sf_opportunity_id=_opportunity(world))
    internet = {"router": "wifi6"}
    yield world.call(
        "placing, Opportunity known", lambda: order_now(world.user, "INT-APT-1G", **internet), salesforce=1, whmcs=2
    )
    yield world.call("placing, Opportunity not known", lambda: order_now(world.user, "VPN-US"), salesforce=2, whmcs=2)
    order = Order.objects.latest("pk")
    wish = cancelling.ask(world.user, order.number)
    yield world.call("cancelling, Opportunity known", lambda: cancelling.carry_out(wish.pk), salesforce=1)


def _provisioning(world: World) -> Iterator[str]:
    shop = Shop(cast(Sandbox, world.buttons))
    shop.add_card()
    shop.desk("approve")
    shop.arrives()
    whmcs_products.has_module(101)  # known for an hour, by all processes
    yield world.call("provisioning, two lines, first attempt", provisioning.work_off, salesforce=2, whmcs=6)


def _looking(world: World) -> Iterator[str]:
    yield world.call("results of checks, all customers", refresh.refresh_accounts, salesforce=1)
    settings.ALLOWED_HOSTS += ["testserver"]
    cache.clear()  # what placing asked of WHMCS is known for seconds
    browser = signed_in(world.user)
    order = f"/orders/{Order.objects.latest('pk').number}/"
    pages = (*PLAIN_PAGES, order, f"{order}status/")
    yield world.call(f"{len(pages)} pages without a purpose outside", lambda: _open(browser, *pages))
    yield world.call("payment page, twice within seconds", lambda: _open(browser, *["/account/payment/"] * 2), whmcs=1)
    yield world.call("services page, twice within seconds", lambda: _open(browser, *["/services/"] * 2), whmcs=1)


def _open(browser: Client, *pages: str) -> None:
    for page in pages:
        status = browser.get(page).status_code
        if status != 200:
            raise RuntimeError(f"{page} answered {status}")


def _cell(system: str, allowed: int, rows: list[dict[str, Any]]) -> str:
    names = [row["operation"] for row in rows if row["system"] == system]
    calls = [name for name in names if name not in NOT_A_CALL]
    parts = names.count("composite/subrequest")
    words = [", ".join(calls)] * bool(calls) + [f"{parts} sub-requests"] * bool(parts)
    over = " OVER" if len(calls) > allowed else ""
    return f"{system} {len(calls)} of {allowed}{over}{' (' if words else ''}{'; '.join(words)}{')' if words else ''}"


def _customer(buttons: Buttons) -> User:
    email = f"{uuid4()}@example.jp"
    new = NewAccount(str(uuid4()), "Aiko", "Sato", email, "Portal Signup")
    account = gateway.salesforce().create_account(new)
    client = gateway.whmcs().add_client(
        email=email, given_name="Aiko", family_name="Sato", language="en", customer_number=account.number
    )
    buttons.control(f"/control/whmcs/clients/{client}/paymethods")
    known = {"sf_account_id": account.id, "sf_account_no": account.number, "whmcs_client_id": client}
    return make_customer(email, internet_eligibility="Apartment 1G", **known)  # type: ignore[arg-type]


def _opportunity(world: World) -> str:
    """What the address check left in Salesforce."""
    return world.user.eligibility_requests.latest("pk").sf_opportunity_id
