"""What staff decide, and what their pages show."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from integrations.errors import Rejected
from provisioning import staff, worker
from provisioning.claims import claim
from provisioning.models import Attempt, EventCursor, Outbox, Pause, Step
from provisioning.staff import Decision, NotPossible
from tests.people import make_staff, signed_in
from tests.provisioning.conftest import arrive_and_run, arrives
from tests.provisioning.doubles import ORDER, SERVICE_PID, SalesforceDouble, WhmcsDouble, key, no_answer
from tests.provisioning.ordered import request

pytestmark = pytest.mark.django_db(transaction=True)
CAROL = Decision("carol@example.jp", "looked in WHMCS")


@pytest.fixture
def unknown(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> Attempt:
    whmcs.trouble("add_order", no_answer())
    return arrive_and_run()


def ask_again(salesforce: SalesforceDouble, number: int = 2) -> Attempt:
    salesforce.request_provisioning(ORDER)
    return arrive_and_run(number)


def test_requesting_again_does_what_an_operator_does_in_salesforce(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.methods = []
    attempt = arrive_and_run()
    staff.request_again(attempt, CAROL)
    assert salesforce.orders[ORDER].activation_status == "Activating"
    step = Step.objects.get(name="staff:request_again:1")
    assert step.result == {"actor": CAROL.actor, "reason": CAROL.reason}


def test_looking_again_ends_nothing_while_the_request_may_be_running(unknown: Attempt) -> None:
    assert staff.look_again(unknown, CAROL) is False
    unknown.refresh_from_db()
    assert unknown.state == "UNKNOWN"


def test_looking_again_finds_what_came_late(unknown: Attempt, whmcs: WhmcsDouble) -> None:
    whmcs.put(request())
    whmcs.accept_order(501)
    assert staff.look_again(unknown, CAROL) is True
    unknown.refresh_from_db()
    assert unknown.state == "PROVISIONED"


def test_a_release_frees_the_order_before_the_quarantine_ends(
    unknown: Attempt, salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    assert staff.release(unknown, CAROL) is True
    unknown.refresh_from_db()
    assert (unknown.state, unknown.error_code) == ("FAILED", "outcome_unknown")
    assert ask_again(salesforce).state == "PROVISIONED"
    assert whmcs.statuses() == {501: "Active"}


def test_a_release_adopts_what_is_there_after_all(unknown: Attempt, whmcs: WhmcsDouble) -> None:
    whmcs.put(request())
    whmcs.accept_order(501)
    staff.release(unknown, CAROL)
    unknown.refresh_from_db()
    assert unknown.state == "PROVISIONED"


def test_an_order_without_a_mark_is_adopted_by_its_id(unknown: Attempt, whmcs: WhmcsDouble) -> None:
    whmcs.stores_mark = False
    whmcs.put(request())
    whmcs.accept_order(501)
    assert staff.adopt(unknown, 501, CAROL) is True
    unknown.refresh_from_db()
    assert (unknown.state, unknown.whmcs_order_id) == ("PROVISIONED", 501)


def test_a_marked_failure_leaves_the_quarantine_in_force(
    unknown: Attempt, salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    staff.mark_failed(unknown, CAROL)
    second = ask_again(salesforce)
    assert (second.state, second.error_code, whmcs.count("add_order")) == ("FAILED", "outcome_unknown", 1)
    pass_quarantine()
    assert ask_again(salesforce, 3).state == "PROVISIONED"


def test_a_cancelled_order_is_made_anew_when_staff_say_so(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    whmcs.failing_pids = {SERVICE_PID}
    arrive_and_run()
    whmcs.failing_pids = set()
    for service in whmcs.of_order(501):
        whmcs.set_status(service.id, "Cancelled")
    staff.create_anew(ask_again(salesforce), CAROL)
    assert ask_again(salesforce, 3).state == "PROVISIONED"
    assert whmcs.count("add_order") == 2


@pytest.mark.parametrize("action", [staff.look_again, staff.release, staff.mark_failed, staff.create_anew])
def test_what_is_over_cannot_be_decided_again(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, action: Callable[[Attempt, Decision], object]
) -> None:
    attempt = arrive_and_run()
    with pytest.raises(NotPossible):
        action(attempt, CAROL)
    attempt.refresh_from_db()
    assert attempt.state == "PROVISIONED"


def test_a_running_attempt_is_not_ended_under_its_worker(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    arrives(key(1))
    held = claim()
    assert held is not None
    with pytest.raises(NotPossible):
        staff.mark_failed(Attempt.objects.get(), CAROL)
    assert Attempt.objects.get().state == "RUNNING"
    assert not Step.objects.filter(name__startswith="staff:").exists()


def test_what_staff_write_stays_with_the_attempt(
    unknown: Attempt, salesforce: SalesforceDouble, capfd: pytest.CaptureFixture[str]
) -> None:
    frank = Decision(CAROL.actor, "Hanako Canary called on 090-0000-1234")
    staff.mark_failed(unknown, frank)
    unknown.refresh_from_db()
    assert Step.objects.get(name="staff:mark_failed:1").result["reason"] == frank.reason
    payloads = [str(payload) for payload in Outbox.objects.values_list("payload", flat=True)]
    assert payloads
    told = "".join([*payloads, repr(salesforce.orders[ORDER]), unknown.error_text, *capfd.readouterr()])
    assert "Canary" not in told


# --- pages


@pytest.fixture
def operator() -> Client:
    carol = make_staff()
    for codename in ("view_attempt", "change_attempt", "view_inboxevent", "view_outbox", "change_outbox"):
        carol.user.user_permissions.add(Permission.objects.get(codename=codename))
    for codename in ("view_eventcursor", "view_pause", "change_pause", "view_remotecall", "view_step"):
        carol.user.user_permissions.add(Permission.objects.get(codename=codename))
    return signed_in(carol.user)


def test_the_attempt_page_says_what_happened_and_what_to_do(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operator: Client
) -> None:
    whmcs.trouble("add_order", Rejected("whmcs", "AddOrder", "app", "Unable to add order"))
    attempt = arrive_and_run()
    page = operator.get(reverse("admin:provisioning_attempt_change", args=[attempt.pk])).content.decode()
    for text in ("whmcs_error: AddOrder: Unable to add order", "WHMCS refused.", "whmcs_add", "whmcs.AddOrder", "SENT"):
        assert text in page
    assert 'name="_save"' not in page


@pytest.mark.parametrize("by", [ORDER, key(1)])
def test_attempts_are_found_by_order_and_key(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operator: Client, by: str
) -> None:
    arrive_and_run()
    page = operator.get(reverse("admin:provisioning_attempt_changelist"), {"q": by})
    assert page.context["cl"].result_count == 1


@pytest.mark.parametrize("model", ["attempt", "inboxevent", "outbox", "eventcursor", "pause"])
def test_every_list_opens_and_nothing_can_be_added(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operator: Client, model: str
) -> None:
    arrive_and_run()
    EventCursor.objects.create(topic="/event/Some__e", replay_id=b"1")
    assert operator.get(reverse(f"admin:provisioning_{model}_changelist")).status_code == 200
    assert operator.get(reverse(f"admin:provisioning_{model}_add")).status_code == 403


def act(client: Client, attempt: Attempt, action: str, **other: str) -> str:
    """The decision with what was typed into its confirmation page."""
    data = {"action": action, "_selected_action": str(attempt.pk), "confirmed": "yes", **other}
    return client.post(reverse("admin:provisioning_attempt_changelist"), data, follow=True).content.decode()


def test_an_action_needs_a_reason_and_then_does_what_the_flow_does(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operator: Client
) -> None:
    whmcs.methods = []
    attempt = arrive_and_run()
    assert "Give a reason" in act(operator, attempt, "request_again")
    assert salesforce.orders[ORDER].activation_status == "Failed"
    act(operator, attempt, "request_again", reason="card added")
    assert salesforce.orders[ORDER].activation_status == "Activating"


def test_an_action_that_is_not_possible_says_why(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operator: Client
) -> None:
    attempt = arrive_and_run()
    assert "The attempt is provisioned" in act(operator, attempt, "look_again", reason="curious")


def test_staff_who_may_only_look_have_no_actions(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    carol = make_staff(group="")
    carol.user.user_permissions.add(Permission.objects.get(codename="view_attempt"))
    attempt = arrive_and_run()
    act(signed_in(carol.user), attempt, "mark_failed", reason="no")
    assert not Step.objects.filter(name__startswith="staff:").exists()


def test_operators_pause_and_resume_with_a_reason(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operator: Client
) -> None:
    Pause.objects.create(pk=1)
    address = reverse("admin:provisioning_pause_change", args=[1])
    operator.post(address, {"paused": "on", "reason": "", "until_0": "", "until_1": ""})
    assert Pause.objects.get().paused is False
    operator.post(address, {"paused": "on", "reason": "upgrade", "until_0": "", "until_1": ""})
    row = Pause.objects.get()
    assert (row.paused, row.reason, row.set_by) == (True, "upgrade", "carol@example.jp")
    arrives(key(1))
    assert worker.work_off() == 0
    operator.post(address, {"reason": "done", "until_0": "", "until_1": ""})
    assert worker.work_off() == 1


def test_a_refused_report_is_sent_again_from_its_page(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operator: Client
) -> None:
    arrive_and_run()
    row = Outbox.objects.get()
    Outbox.objects.update(state="REFUSED")
    data = {"action": "send_again", "_selected_action": str(row.pk), "reason": "rule corrected", "confirmed": "yes"}
    operator.post(reverse("admin:provisioning_outbox_changelist"), data)
    row.refresh_from_db()
    assert row.state == "PENDING"
