"""An order with an eSIM: the line is asked for once and is active before WHMCS is asked for anything."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import django_rq
import pytest
from django.utils import timezone

from integrations.errors import Misconfigured, Rejected, Unavailable
from journal.models import RemoteCall, RemoteFact
from provisioning import esim, sweepers, worker
from provisioning.models import Attempt, Outbox
from tests.provisioning.conftest import arrive_and_run, arrives, ask_again
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, item, key
from tests.provisioning.esim_double import ESIM_OPTIONS, ICCID, ESimDouble, esim_item, esim_order
from tests.provisioning.esim_waiting import HOUR, check_now, the_attempt, waits

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("esim_ordered")]


# --- the way


def test_the_line_is_active_before_whmcs_is_asked_and_salesforce_is_told_its_card(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble
) -> None:
    made: list[str] = []
    salesforce.watch = whmcs.watch = provider.watch = made.append
    assert arrive_and_run().state == "PROVISIONED"
    assert made.index("activate") < made.index("add_order")
    assert (provider.lines_made, provider.plans) == ([ORDER], ["data-10"])
    assert [(report.provisioned, report.iccid) for report in salesforce.reports] == [(True, ICCID)]
    assert RemoteFact.objects.get(kind="esim", state="live").remote_id == ORDER


@pytest.mark.parametrize(
    "goods",
    [
        item(),
        esim_item(options={**ESIM_OPTIONS, "sim_type": {**ESIM_OPTIONS["sim_type"], "value": "physical"}}),
        esim_item(options={}),
    ],
    ids=["internet", "a card by post", "nothing chosen"],
)
def test_what_is_no_esim_asks_the_provider_nothing(
    salesforce: SalesforceDouble, provider: ESimDouble, goods: Any
) -> None:
    salesforce.orders[ORDER] = esim_order(items=(goods,))
    assert arrive_and_run().state == "PROVISIONED"
    assert provider.calls == []
    assert salesforce.reports[-1].iccid == ""


def test_a_product_without_a_plan_fails_by_name_before_anything_is_sent(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble
) -> None:
    salesforce.orders[ORDER] = esim_order(items=(esim_item(esim_plan=""),))
    attempt = arrive_and_run()
    assert attempt.error_text == "product_unmapped: item 802000000000001AAA (SIM-VD-10): its product names no esim_plan"
    assert (provider.calls, whmcs.count("add_order")) == ([], 0)


def test_without_a_provider_an_esim_fails_with_a_clear_code(
    monkeypatch: pytest.MonkeyPatch, whmcs: WhmcsDouble
) -> None:
    def none() -> None:
        raise Misconfigured("esim", "settings", "not_configured", "ESIM_API_URL is not set.")

    monkeypatch.setattr("integrations.gateway.esim", none)
    assert arrive_and_run().error_code == "no_esim_provider"
    assert whmcs.count("add_order") == 0


def test_two_esims_of_one_order_are_two_lines_asked_for_once_each(
    salesforce: SalesforceDouble, provider: ESimDouble
) -> None:
    salesforce.orders[ORDER] = esim_order(items=(esim_item(quantity=2),))
    provider.pace = "accepted"
    arrive_and_run()
    assert list(provider.line_rows) == [ORDER, f"{ORDER}-2"]
    provider.finish("T1")
    check_now()
    worker.work_off()
    assert (the_attempt().state, the_attempt().ticket_ref) == ("WAITING", "T2")
    provider.finish("T2")
    check_now()
    worker.work_off()
    assert (the_attempt().state, provider.count("activate")) == ("PROVISIONED", 2)
    assert set(RemoteFact.objects.filter(kind__startswith="esim").values_list("kind", "remote_id")) == {
        ("esim", ORDER),
        ("esim:2", f"{ORDER}-2"),
    }


# --- accepted is not done


def test_an_accepted_ticket_lets_the_attempt_wait_without_a_lease(provider: ESimDouble, whmcs: WhmcsDouble) -> None:
    attempt = waits(provider)
    assert (attempt.ticket_ref, attempt.lease_until, attempt.error_code) == ("T1", None, "")
    assert attempt.check_at is not None
    assert attempt.give_up_at is not None
    assert attempt.give_up_at > attempt.check_at > timezone.now() - HOUR
    assert whmcs.count("add_order") == 0
    assert not Outbox.objects.exists()


def test_an_open_ticket_is_asked_for_later_and_ever_more_rarely(provider: ESimDouble) -> None:
    waits(provider)
    assert sweepers.requeue_waiting() == 0
    assert provider.count("ticket") == 1  # its time had not come
    for waited, pause_s in ((timedelta(0), 1), (4 * timedelta(seconds=60), 60), (10 * HOUR, 300)):
        before = timezone.now()
        Attempt.objects.update(started_at=before - waited)
        assert check_now() == 0
        check_at = the_attempt().check_at
        assert check_at is not None
        took = timezone.now() - before
        assert before + timedelta(seconds=pause_s) <= check_at <= before + timedelta(seconds=pause_s) + 2 * took
    assert (the_attempt().state, provider.count("ticket")) == ("WAITING", 4)


def test_a_ticket_that_is_done_wakes_a_worker_that_goes_on_with_the_same_attempt(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble
) -> None:
    waits(provider)
    provider.finish("T1")
    assert check_now() == 1
    assert (the_attempt().state, django_rq.get_queue("provisioning").count) == ("QUEUED", 1)
    worker.work_off()
    assert (the_attempt().state, salesforce.reports[-1].iccid) == ("PROVISIONED", ICCID)
    assert (provider.count("activate"), whmcs.count("add_order")) == (1, 1)


def test_after_the_wait_the_card_is_checked_again(whmcs: WhmcsDouble, provider: ESimDouble) -> None:
    waits(provider)
    whmcs.methods.clear()
    provider.finish("T1")
    check_now()
    worker.work_off()
    assert (the_attempt().error_code, whmcs.count("add_order")) == ("payment_method_missing", 0)


def test_an_order_cancelled_while_it_waits_is_skipped_and_its_line_is_remembered(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble
) -> None:
    waits(provider)
    salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], status="Cancelled", activation_status="Failed")
    provider.finish("T1")
    check_now()
    worker.work_off()
    assert (the_attempt().state, the_attempt().error_code) == ("SKIPPED", "not_activating")
    assert (whmcs.count("add_order"), salesforce.reports) == (0, [])
    assert RemoteFact.objects.get(kind="esim").state == "live"


def test_a_request_that_comes_while_it_waits_is_answered_by_its_end(
    salesforce: SalesforceDouble, provider: ESimDouble
) -> None:
    waits(provider)
    salesforce.request_provisioning(ORDER)
    assert arrives(key(2)).state == "waiting"
    provider.finish("T1")
    check_now()
    worker.work_off()
    assert (the_attempt().state, salesforce.reports[-1].idem_key) == ("PROVISIONED", key(2))


def test_a_provider_that_does_not_answer_is_asked_again_later(provider: ESimDouble) -> None:
    waits(provider)
    provider.trouble("ticket", Unavailable("esim", "ticket", "refused"))
    assert check_now() == 0
    attempt = the_attempt()
    assert attempt.state == "WAITING"
    assert attempt.check_at is not None
    assert attempt.check_at > timezone.now() - HOUR / 2


# --- refused, failed


def test_a_ticket_that_fails_is_told_and_a_new_request_gets_a_ticket_of_its_own(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble
) -> None:
    waits(provider)
    provider.fail("T1", "EID_IN_USE")
    check_now()
    worker.work_off()
    attempt = the_attempt()
    assert attempt.error_text.startswith("esim_error: ticket T1 failed: EID_IN_USE; correct it at the provider")
    assert salesforce.errors[ORDER].startswith("esim_error: ticket T1 failed: EID_IN_USE")
    assert not RemoteFact.objects.filter(kind="esim", state="live").exists()
    provider.pace = "done"
    assert ask_again(salesforce, 2).state == "PROVISIONED"
    assert provider.keys == {"T1": f"{ORDER}:1", "T2": f"{ORDER}:2"}
    assert (provider.lines_made, whmcs.count("add_order")) == ([ORDER], 1)


def test_a_failure_that_may_pass_says_so(provider: ESimDouble) -> None:
    waits(provider)
    provider.fail("T1", "CARRIER_BUSY", retryable=True)
    check_now()
    worker.work_off()
    assert the_attempt().error_text == "esim_error: ticket T1 failed: CARRIER_BUSY; may work when requested again"


def test_a_ticket_that_failed_after_staff_ended_its_attempt_costs_no_second_request(
    salesforce: SalesforceDouble, provider: ESimDouble
) -> None:
    waits(provider)
    Attempt.objects.update(state="FAILED", finished_at=timezone.now())
    salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], activation_status="Failed")
    provider.fail("T1", "CARRIER_BUSY")
    provider.pace = "done"
    assert ask_again(salesforce, 2).state == "PROVISIONED"
    assert (list(provider.keys.values()), provider.lines_made) == ([f"{ORDER}:1", f"{ORDER}:2"], [ORDER])


def test_a_refusal_is_a_failure_and_the_next_request_has_a_key_of_its_own(
    salesforce: SalesforceDouble, provider: ESimDouble
) -> None:
    provider.trouble("activate", Rejected("esim", "activate", "MNP_MISMATCH", "the number is not well formed"))
    assert arrive_and_run().error_text == "esim_error: activate: the number is not well formed"
    assert ask_again(salesforce, 2).state == "PROVISIONED"
    assert list(provider.keys.values()) == [f"{ORDER}:2"]


def test_a_closed_provider_is_unreachable_and_nothing_was_ordered(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble
) -> None:
    provider.trouble("line", Unavailable("esim", "line", "maintenance", "closed for the daily maintenance"))
    assert arrive_and_run().error_code == "esim_unreachable"
    assert (provider.count("activate"), whmcs.count("add_order")) == (0, 0)
    assert ask_again(salesforce, 2).state == "PROVISIONED"


def test_a_line_that_somebody_ended_is_not_made_again(salesforce: SalesforceDouble, provider: ESimDouble) -> None:
    waits(provider)
    provider.finish("T1")
    provider.line_rows[ORDER] = provider.line_rows[ORDER].model_copy(update={"status": "terminated"})
    check_now()
    worker.work_off()
    assert the_attempt().error_text == f"esim_error: ticket T1 is done, but line {ORDER} is not active"
    assert provider.count("activate") == 1


def test_a_line_in_the_making_by_somebody_elses_request_is_left_alone(
    salesforce: SalesforceDouble, provider: ESimDouble
) -> None:
    provider.pace = "accepted"
    provider.activate(idem_key="by hand", line_ref=ORDER, order_ref=ORDER, plan="data-10")
    assert arrive_and_run().error_text == f"esim_error: line {ORDER} is issuing there by another request"
    provider.finish("T1")
    assert ask_again(salesforce, 2).state == "PROVISIONED"
    assert provider.lines_made == [ORDER]


def test_another_plan_than_the_line_was_asked_for_is_for_a_person(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble
) -> None:
    waits(provider)
    salesforce.orders[ORDER] = esim_order(items=(esim_item(esim_plan="data-20"),))
    provider.finish("T1")
    check_now()
    worker.work_off()
    assert the_attempt().error_text == f"items_changed: line {ORDER} was asked for with plan data-10"
    assert (provider.count("activate"), whmcs.count("add_order")) == (1, 0)


def test_the_journal_and_the_facts_hold_no_card_number(provider: ESimDouble) -> None:
    arrive_and_run()
    kept = [*RemoteCall.objects.values_list("result", flat=True), *RemoteFact.objects.values_list("remote_id")]
    assert kept
    assert ICCID not in str(kept)
    assert esim.KIND in set(RemoteFact.objects.values_list("kind", flat=True))
