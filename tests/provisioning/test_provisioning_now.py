"""The staff's page on provisioning: the numbers of this moment, and which round is late."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from journal.models import Round
from portal.periods import PERIODS, is_late
from provisioning.models import Attempt, InboxEvent, Outbox, Task
from tests.people import make_staff, signed_in
from tests.portal.pages import Tags
from tests.provisioning.conftest import arrive_and_run, arrives
from tests.provisioning.doubles import SalesforceDouble, WhmcsDouble, key, no_answer

pytestmark = pytest.mark.django_db(transaction=True)
NOW = "/admin/provisioning/now/"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def operator() -> Client:
    return signed_in(make_staff(group="Operator").user)


def numbers(client: Client) -> dict[str, tuple[str, str]]:
    """Label -> value and kind, as the page was given them."""
    context = client.get(NOW).context
    shown = [*context["live"], *context["work"], *context["causes"], *context["customer_causes"]]
    return {number.label: (number.value, number.kind) for number in shown}


def test_it_shows_what_is_under_way_what_waits_and_why_attempts_failed(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operator: Client
) -> None:
    assert numbers(operator)["outcome unknown"] == ("0", "")
    whmcs.trouble("add_order", no_answer())
    attempt = arrive_and_run()
    arrives(key(2))
    Task.objects.create(kind="duplicate_active", cause="c", order_id=attempt.order_id)
    Outbox.objects.update(state="REFUSED")
    for number, code in enumerate(["payment_method_missing", "whmcs_error", "whmcs_error"]):
        Attempt.objects.create(
            order_id=f"80100000000010{number}AAA",
            idem_key=f"x{number}",
            state="FAILED",
            error_code=code,
            finished_at=timezone.now() - timedelta(hours=23),
        )
    Attempt.objects.create(
        order_id="801000000000200AAA",
        idem_key="old",
        state="FAILED",
        error_code="sf_limit",
        finished_at=timezone.now() - timedelta(hours=25),
    )
    seen = numbers(operator)
    assert seen["outcome unknown"] == ("1", "bad")
    assert seen["Newer requests that wait"] == ("1", "wait")
    assert seen["Open tasks"] == ("1", "bad")
    assert seen["Reports that Salesforce refused"] == ("1", "bad")
    assert seen["whmcs_error"] == ("2", "bad")
    assert seen["payment_method_missing"] == ("1", "")
    assert "sf_limit" not in seen


def test_a_queue_that_stands_still_is_marked(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operator: Client
) -> None:
    arrives(key(1))
    assert numbers(operator)["queued"] == ("1", "wait")
    Attempt.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    assert numbers(operator)["queued"] == ("1", "bad")


def test_rounds_that_are_late_come_first(operator: Client) -> None:
    now = timezone.now()
    for name in PERIODS:
        Round.objects.create(name=name, started_at=now, succeeded_at=now, actions={"woken": 2})
    assert not any(turn.late for turn in operator.get(NOW).context["rounds"])
    Round.objects.filter(name="provisioning.sweep").update(succeeded_at=now - timedelta(minutes=30))
    first, *others = operator.get(NOW).context["rounds"]
    assert (first.name, first.late, first.did) == ("provisioning.sweep", True, "woken 2")
    assert not any(turn.late for turn in others)


def test_a_round_that_never_succeeded_is_late() -> None:
    assert is_late("provisioning.sweep", None, timezone.now())


def test_every_round_there_is_has_a_period() -> None:
    """Names are read from the code, so that a new round is not forgotten."""
    named = set()
    for path in (*ROOT.glob("*/*.py"), *ROOT.glob("*/*/jobs.py")):
        tree = ast.parse(path.read_text())
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "rounds.run":
                name = node.args[0]
                named.add(name.value if isinstance(name, ast.Constant) else constants.get(ast.unparse(name)))
    assert named == set(PERIODS), "portal/periods.py lists every round"


def test_the_page_costs_the_same_however_much_there_is(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operator: Client
) -> None:
    counts = []
    for first in (1, 100):
        for number in range(first, first + 10):
            InboxEvent.objects.create(event_uuid=f"e{number}", topic="t", state="poison")
            Attempt.objects.create(order_id=f"8010000000{number:05}AAA", idem_key=f"k{number}")
        with CaptureQueriesContext(connection) as queries:
            operator.get(NOW)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_only_who_may_see_attempts_opens_it_and_finds_it_on_the_first_page(operator: Client) -> None:
    assert Tags(operator.get("/admin/").content.decode()).all("a", href=NOW)
    stranger = make_staff("dave@example.jp", group="")
    assert signed_in(stranger.user).get(NOW).status_code == 403
    assert Client().get(NOW).status_code == 302


def test_it_is_read_in_japanese(operator: Client) -> None:
    page = operator.get(NOW, headers={"Accept-Language": "ja"}).content.decode()
    assert "プロビジョニングの現況" in page
