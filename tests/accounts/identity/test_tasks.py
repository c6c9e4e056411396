"""Where a customer stands: what lets a SIM be ordered, and what the pages ask for."""

import pytest
from django.urls import reverse

from accounts.identity.standing import standing
from accounts.models import CustomerLink, User
from catalog.models import Product
from catalog.pricing import PricedLine, price_line
from orders import gate
from orders.models import Order, OrderLine
from portal.next_steps import to_do
from tests.accounts.identity.sent_in import State, papers
from tests.catalog.goods import products
from tests.orders.conftest import salesforce, whmcs
from tests.orders.doubles import Salesforce, Whmcs
from tests.orders.steps import lives
from tests.people import signed_in

__all__ = ["salesforce", "whmcs"]
pytestmark = pytest.mark.django_db(transaction=True)


def sim() -> list[PricedLine]:
    return [price_line(products=products(), sku="SIM-VD-3", options={"sim_type": "esim"})]


@pytest.mark.parametrize(
    ("told", "state", "place", "refused"),
    [
        ("", None, "open", False),
        ("", State.DRAFT, "open", False),
        ("", State.SUBMITTED, "checking", False),  # although Salesforce was away
        ("Rejected", State.SUBMITTED, "checking", False),  # new papers after a rejection
        ("Rejected", State.PENDING, "checking", False),  # what was read before they arrived
        ("Pending", State.PENDING, "checking", False),
        ("Pending", None, "checking", False),  # papers that support got by another way
        ("Rejected", State.REJECTED, "open", True),
        ("Rejected", None, "open", False),
        ("", State.REJECTED, "open", True),  # never reached Salesforce
        ("Verified", State.VERIFIED, "verified", False),
        ("Verified", None, "verified", False),
        ("Verified", State.REJECTED, "verified", False),
    ],
)
def test_where_a_customer_stands(aiko: User, told: str, state: str | None, place: str, refused: bool) -> None:
    CustomerLink.objects.update(identity_status=told)
    if state:
        papers(aiko, state=state)
    now = standing(User.objects.get(pk=aiko.pk))
    assert (now.place, now.refused is not None) == (place, refused)


def missing(user: User) -> list[str]:
    user = User.objects.get(pk=user.pk)
    found = gate.open_tasks(gate.tasks(gate.situation(user=user, lines=sim()), sim()))
    return [task.key for task in found]


def test_a_sim_can_be_ordered_once_papers_were_sent(aiko: User, salesforce: Salesforce, whmcs: Whmcs) -> None:
    lives(aiko)
    assert missing(aiko) == ["identity"]
    papers(aiko)
    assert missing(aiko) == []


def test_the_task_leads_to_the_page_and_back_to_checkout(aiko: User, salesforce: Salesforce, whmcs: Whmcs) -> None:
    lives(aiko)
    (task,) = gate.open_tasks(gate.tasks(gate.situation(user=aiko, lines=sim()), sim()))
    assert task.url == f"{reverse('identity')}?next=%2Fcheckout%2F"
    assert signed_in(aiko).get(task.url).status_code == 200


@pytest.mark.parametrize(
    ("told", "state", "proofs", "expected"),
    [
        ("", None, [], []),
        ("", None, ["None"], []),
        ("", None, ["Upload"], ["todo"]),
        ("", None, ["Other", "Upload"], ["todo"]),
        ("", None, ["None", "Other"], ["wait"]),
        ("", State.SUBMITTED, ["Upload"], ["wait"]),
        ("Pending", State.PENDING, [], ["wait"]),
        ("Rejected", State.REJECTED, [], ["todo"]),
        ("Verified", State.VERIFIED, ["Upload", "Other"], []),
    ],
)
def test_the_overview_asks_for_papers_when_they_are_needed(
    aiko: User, told: str, state: str | None, proofs: list[str], expected: list[str]
) -> None:
    CustomerLink.objects.update(identity_status=told)
    if state:
        papers(aiko, state=state)
    tasks = to_do(User.objects.get(pk=aiko.pk), has_orders=bool(proofs), proofs=proofs)
    assert [task.state for task in tasks if task.key == "identity"] == expected


@pytest.mark.parametrize(
    ("identity", "leads_to"), [("Upload", "identity"), ("Other", "identity_by_chip"), ("None", "")]
)
def test_the_overview_asks_what_the_plan_of_a_sim_under_way_asks(
    aiko: User, salesforce: Salesforce, identity: str, leads_to: str
) -> None:
    Product.objects.filter(sku="SIM-D-3").update(identity=identity)
    order = Order.objects.create(
        user=aiko,
        cart_hash="h",
        portal_ref="r",
        category="SIM",
        local_state=Order.Local.PLACED,
        sf_status="Pending Review",
        terms_accepted_at="2026-11-21T00:00Z",
    )
    OrderLine.objects.create(order=order, position=0, sku="SIM-D-3", name_en="Data 3", unit_price=990)
    page = signed_in(aiko).get(reverse("dashboard")).content.decode().partition("<main")[2].partition("</main>")[0]
    found = [name for name in ("identity", "identity_by_chip") if f'href="{reverse(name)}"' in page]
    assert found == ([leads_to] if leads_to else [])
