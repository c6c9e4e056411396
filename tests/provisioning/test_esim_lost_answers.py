"""An eSIM whose provider does not answer, never ends, or whose worker is gone: one line, asked for once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.errors import Unavailable, UnknownOutcome
from integrations.esim.schemas import Line
from journal.models import RemoteFact
from provisioning import outbox, sweepers, worker
from provisioning.models import Attempt
from tests.provisioning.conftest import arrive_and_run, arrives, ask_again
from tests.provisioning.doubles import ORDER, Double, SalesforceDouble, WhmcsDouble, key, no_answer
from tests.provisioning.esim_double import ICCID, ESimDouble
from tests.provisioning.esim_waiting import HOUR, check_now, the_attempt, waits

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("esim_ordered")]


def no_line() -> UnknownOutcome:
    return UnknownOutcome("esim", "activate", "timeout", "no answer")


def blind_after(operation: str, double: Double, look: str) -> Callable[[str], None]:
    """Once `operation` is carried out, the next look fails, too."""

    def then(made: str) -> None:
        if made == operation:
            double.trouble(look, Unavailable("outside", look, "refused"))

    return then


# --- answers that do not come


def test_a_lost_answer_is_found_by_its_key(salesforce: SalesforceDouble, provider: ESimDouble) -> None:
    provider.trouble("activate", no_line(), after=True)
    assert arrive_and_run().state == "PROVISIONED"
    assert (provider.lines_made, provider.count("activate")) == ([ORDER], 1)


def test_a_lost_answer_about_a_ticket_that_failed_is_definite(provider: ESimDouble) -> None:
    provider.pace = "CARRIER_BUSY"
    provider.trouble("activate", no_line(), after=True)
    assert arrive_and_run().error_code == "esim_error"


def test_a_request_that_never_arrived_is_unknown_until_the_quarantine_and_keeps_its_key(
    salesforce: SalesforceDouble, provider: ESimDouble, pass_quarantine: Callable[[], None]
) -> None:
    provider.trouble("activate", no_line())
    assert arrive_and_run().state == "UNKNOWN"
    assert "whether the eSIM provider made a profile" in salesforce.errors[ORDER]
    assert sweepers.resolve_unknown() == 0
    pass_quarantine()
    assert sweepers.resolve_unknown() == 1
    assert the_attempt().error_text.startswith("outcome_unknown: looked again, nothing was ordered")
    assert ask_again(salesforce, 2).state == "PROVISIONED"
    assert list(provider.keys.values()) == [f"{ORDER}:1"]
    late = provider.activate(idem_key=f"{ORDER}:1", line_ref=ORDER, order_ref=ORDER, plan="data-10")
    assert (late.ref, provider.lines_made) == ("T1", [ORDER])


def test_a_line_that_comes_late_is_kept_and_gone_on_with(
    salesforce: SalesforceDouble, provider: ESimDouble, pass_quarantine: Callable[[], None]
) -> None:
    provider.trouble("activate", no_line())
    arrive_and_run()
    provider.activate(idem_key=f"{ORDER}:1", line_ref=ORDER, order_ref=ORDER, plan="data-10")
    assert sweepers.resolve_unknown() == 1
    assert the_attempt().error_text.endswith("its eSIM is kept, or will be when its ticket is done")
    assert ask_again(salesforce, 2).state == "PROVISIONED"
    assert (provider.lines_made, provider.count("activate")) == ([ORDER], 2)


def test_a_late_request_whose_ticket_fails_uses_its_key_up(
    salesforce: SalesforceDouble, provider: ESimDouble, pass_quarantine: Callable[[], None]
) -> None:
    provider.trouble("activate", no_line())
    arrive_and_run()
    pass_quarantine()
    sweepers.resolve_unknown()
    provider.pace = "CARRIER_BUSY"
    provider.activate(idem_key=f"{ORDER}:1", line_ref=ORDER, order_ref=ORDER, plan="data-10")
    provider.pace = "done"
    assert ask_again(salesforce, 2).state == "PROVISIONED"
    assert (list(provider.keys.values()), provider.lines_made) == ([f"{ORDER}:1", f"{ORDER}:2"], [ORDER])


def test_while_the_request_may_be_under_way_another_attempt_sends_nothing(
    salesforce: SalesforceDouble, provider: ESimDouble
) -> None:
    provider.trouble("activate", no_line())
    arrive_and_run()
    Attempt.objects.update(state="FAILED", finished_at=timezone.now())
    assert ask_again(salesforce, 2).error_code == "outcome_unknown"
    assert provider.count("activate") == 1


def test_an_outcome_unknown_in_whmcs_is_resolved_with_the_card(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble, pass_quarantine: Callable[[], None]
) -> None:
    whmcs.trouble("accept_order", no_answer("AcceptOrder"), after=True)
    whmcs.watch_after = blind_after("accept_order", whmcs, "order")
    assert arrive_and_run().state == "UNKNOWN"
    pass_quarantine()
    sweepers.resolve_unknown()
    assert (the_attempt().state, salesforce.reports[-1].iccid) == ("PROVISIONED", ICCID)


def test_an_esim_that_was_ended_beside_a_working_service_is_told_as_what_it_is(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble, pass_quarantine: Callable[[], None]
) -> None:
    whmcs.trouble("accept_order", no_answer("AcceptOrder"), after=True)
    whmcs.watch_after = blind_after("accept_order", whmcs, "order")
    assert arrive_and_run().state == "UNKNOWN"
    provider.line_rows[ORDER] = Line(line_ref=ORDER, status="terminated")
    pass_quarantine()
    sweepers.resolve_unknown()
    assert salesforce.errors[ORDER] == (
        f"esim_error: looked again, WHMCS order 501 works, but line {ORDER} is terminated. "
        "Next: have the provider activate the line again, then request again; or end the services in WHMCS."
    )
    assert (the_attempt().state, whmcs.statuses()) == ("FAILED", {501: "Active"})
    provider.line_rows[ORDER] = Line(line_ref=ORDER, status="active", iccid=ICCID)
    assert ask_again(salesforce).state == "PROVISIONED"
    assert (whmcs.count("add_order"), provider.count("activate")) == (1, 1)


@pytest.mark.parametrize("refuses", [True, False], ids=["knows our name of the line", "makes a second line"])
def test_a_provider_without_keys_is_asked_once_whatever_happens(
    salesforce: SalesforceDouble, provider: ESimDouble, pass_quarantine: Callable[[], None], refuses: bool
) -> None:
    provider.honours_keys, provider.refuses_second_line = False, refuses
    provider.trouble("activate", no_line(), after=True)
    provider.watch_after = blind_after("activate", provider, "line")
    assert arrive_and_run().state == "UNKNOWN"
    pass_quarantine()
    sweepers.resolve_unknown()
    assert ask_again(salesforce, 2).state == "PROVISIONED"
    assert (provider.lines_made, provider.count("activate")) == ([ORDER], 1)


# --- a ticket that never ends


def give_up(provider: ESimDouble) -> Attempt:
    waits(provider)
    Attempt.objects.update(give_up_at=timezone.now() - HOUR)
    assert check_now() == 0
    return the_attempt()


def test_who_waited_too_long_is_unknown_and_says_for_what_since_when(
    salesforce: SalesforceDouble, provider: ESimDouble
) -> None:
    attempt = give_up(provider)
    assert (attempt.state, attempt.error_code) == ("UNKNOWN", "outcome_unknown")
    since = timezone.localtime(timezone.now() - HOUR - timedelta(days=1))
    assert f"eSIM ticket T1 is open since {since:%Y-%m-%d %H}" in attempt.error_text
    assert "Next: ask the provider about the ticket in the cause" in salesforce.errors[ORDER]
    assert salesforce.orders[ORDER].activation_status == "Failed"


def test_a_silent_provider_is_given_up_on_as_well(provider: ESimDouble) -> None:
    waits(provider)
    provider.trouble("ticket", Unavailable("esim", "ticket", "refused"))
    Attempt.objects.update(give_up_at=timezone.now() - HOUR)
    check_now()
    assert the_attempt().state == "UNKNOWN"


def test_a_given_up_ticket_is_looked_at_until_it_ends_and_its_line_is_adopted(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble, pass_quarantine: Callable[[], None]
) -> None:
    give_up(provider)
    pass_quarantine()
    assert sweepers.resolve_unknown() == 0
    assert the_attempt().state == "UNKNOWN"
    provider.finish("T1")
    pass_quarantine()
    assert sweepers.resolve_unknown() == 1
    assert the_attempt().error_text.endswith("its eSIM is kept, or will be when its ticket is done")
    assert ask_again(salesforce, 2).state == "PROVISIONED"
    assert (provider.lines_made, provider.count("activate"), whmcs.count("add_order")) == ([ORDER], 1, 1)


def test_a_given_up_ticket_that_fails_is_told_by_its_code(
    salesforce: SalesforceDouble, provider: ESimDouble, pass_quarantine: Callable[[], None]
) -> None:
    give_up(provider)
    provider.fail("T1", "EID_IN_USE")
    pass_quarantine()
    sweepers.resolve_unknown()
    assert the_attempt().error_text.startswith("esim_error: ticket T1 failed: EID_IN_USE")
    provider.pace = "done"
    assert ask_again(salesforce, 2).state == "PROVISIONED"


# --- who lost the attempt


def test_a_worker_that_wakes_up_late_makes_no_second_line_and_writes_nothing(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble, pass_quarantine: Callable[[], None]
) -> None:
    """Frozen between its fence and the wire, it asks for the line when another attempt has long been done."""

    def freeze(operation: str) -> None:
        if operation != "activate":
            return
        provider.watch = lambda operation: None
        Attempt.objects.update(lease_until=timezone.now() - HOUR)
        sweepers.sweep()
        pass_quarantine()
        sweepers.sweep()
        assert ask_again(salesforce, 2).state == "PROVISIONED"

    provider.watch = freeze
    arrive_and_run()
    assert provider.lines_made == [ORDER]
    assert list(whmcs.statuses().values()) == ["Active"]
    assert RemoteFact.objects.get(kind="esim", state="live").remote_id == ORDER


def test_an_interrupted_attempt_with_an_accepted_ticket_failed_and_the_next_one_waits_for_the_same(
    salesforce: SalesforceDouble, provider: ESimDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.pace = "accepted"

    def dies(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("provisioning.outcome.waiting", dies)
        arrives(key(1))
        with pytest.raises(KeyboardInterrupt):
            worker.work_off()
    Attempt.objects.update(lease_until=timezone.now() - HOUR)
    sweepers.sweep()
    outbox.drain()
    assert (the_attempt().state, the_attempt().error_code) == ("FAILED", "interrupted")
    attempt = ask_again(salesforce, 2)
    assert (attempt.state, attempt.ticket_ref, provider.count("activate")) == ("WAITING", "T1", 1)
