"""What the end of an attempt writes in one transaction: its state, what the customer sees, the report, the e-mail."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from integrations.salesforce.schemas import OrderOutcome, ProvisionableOrder
from journal import calls
from journal.commits import commit, lasting
from journal.models import RemoteCall
from orders.models import Order
from orders.progress import record_progress
from provisioning import attempts, duplicates, mails, mapping, tasks
from provisioning.attempts import State
from provisioning.claims import Claim
from provisioning.explanations import for_salesforce
from provisioning.failures import Code, Failure, NotWanted, error_text
from provisioning.mapping import Line
from provisioning.models import Attempt, Outbox
from provisioning.remote_orders import Found, subject_of


@dataclass(frozen=True)
class Whose:
    """The attempt that ends and by what right: a worker's epoch, or None for sweep and staff."""

    attempt_id: Any
    epoch: int | None = None
    order: ProvisionableOrder | None = None  # as last read, if it was


@dataclass(frozen=True)
class Delivered:
    """What exists in WHMCS now."""

    whmcs_order_id: int
    services: Mapping[str, int] = field(default_factory=dict)  # OrderItem id -> service id
    main_service: int | None = None  # that of the item of class Service
    iccid: str = ""  # of the eSIM, where the order has one


def delivered(lines: Sequence[Line], found: Found, *, iccid: str = "") -> Delivered:
    """What is told about services that were read back."""
    services = mapping.services_by_item(lines, found.services)
    main = next((line.item_id for line in lines if line.item_class == "Service"), "")
    return Delivered(found.order_id, services, services.get(main), iccid)


@lasting
def begun(claim: Claim, order: ProvisionableOrder) -> None:
    """The guard let the order pass: its customer sees that it is being activated. Raises Fenced."""
    with commit("outcome.begun"):
        claim.renew(settings.READ_DEADLINE_S)  # who lost the attempt must not change what its end told the customer
        record_progress(sf_order_id=order.id, progress=Order.Progress.ACTIVATING, at=timezone.now())


@lasting
def provisioned(whose: Whose, delivered: Delivered) -> None:
    """The services are active. Raises Fenced or IllegalMove, and then nothing is written."""
    changes = {"whmcs_order_id": delivered.whmcs_order_id, "error_code": "", "error_text": ""}
    with commit("outcome.provisioned"):
        ended = attempts.end(attempt_id=whose.attempt_id, to=State.PROVISIONED, epoch=whose.epoch, changes=changes)
        now = timezone.now()
        record_progress(
            sf_order_id=ended.attempt.order_id,
            progress=Order.Progress.PROVISIONED,
            at=now,
            whmcs_order_id=delivered.whmcs_order_id,
            services=delivered.services,
            items=whose.order.items if whose.order else None,
        )
        report = _report(ended.attempt, whose.order, ended.report_as or "", now)
        report |= {"provisioned": True, "whmcs_order_id": delivered.whmcs_order_id}
        report |= {"services": dict(delivered.services), "opportunity_service_id": delivered.main_service}
        report |= {"iccid": delivered.iccid}
        _enqueue(ended.attempt, report)
        mails.provisioned(ended.attempt, whose.order)


@lasting
def failed(whose: Whose, failure: Failure) -> None:
    """A definite end without the services. A waiting request goes on instead, and then nobody is told."""
    text = error_text(failure.code, failure.cause)
    with commit("outcome.failed"):
        ended = attempts.end(
            attempt_id=whose.attempt_id,
            to=State.FAILED,
            epoch=whose.epoch,
            changes={"error_code": failure.code, "error_text": text},
        )
        if failure.code == Code.DUPLICATE_ACTIVE:
            duplicates.note_duplicates(ended.attempt.order_id, failure.cause)
        if ended.report_as is None:
            return
        told = for_salesforce(failure.code, failure.cause, open_calls=_open_calls(ended.attempt))
        _tell_failure(ended.attempt, whose.order, ended.report_as, told, Order.Progress.FAILED)
        mails.failed(ended.attempt, failure.code)


@lasting
def waiting(whose: Whose, ticket_ref: str) -> None:
    """A provider accepted and is not done: nobody holds the attempt until its ticket ends. Raises Fenced.

    The time after which nobody waits any longer counts from the first ticket of the attempt.
    """
    give_up_at = Coalesce("give_up_at", Now() + timedelta(seconds=settings.ESIM_GIVE_UP_S))
    check_at = Now() + timedelta(seconds=settings.SWEEP_S)
    changes = {"ticket_ref": ticket_ref, "check_at": check_at, "give_up_at": give_up_at}
    with commit("outcome.waiting"):
        attempts.transition(attempt_id=whose.attempt_id, to=State.WAITING, epoch=whose.epoch, changes=changes)


@lasting
def unknown(whose: Whose, cause: str) -> None:
    """Something was sent and nobody knows what came of it: live until a look-up decides, reported as Failed.

    Not reported while a newer request waits: what it gets is told when the look-up has decided.
    """
    text = error_text(Code.OUTCOME_UNKNOWN, cause)
    with commit("outcome.unknown"):
        attempts.lock_order_of(whose.attempt_id)
        attempt = attempts.transition(
            attempt_id=whose.attempt_id,
            to=State.UNKNOWN,
            epoch=whose.epoch,
            changes={"error_code": Code.OUTCOME_UNKNOWN, "error_text": text},
        )
        if attempts.somebody_waits(attempt.order_id):
            record_progress(sf_order_id=attempt.order_id, progress=Order.Progress.CHECKING, at=timezone.now())
            return
        told = for_salesforce(Code.OUTCOME_UNKNOWN, cause, live=True, open_calls=_open_calls(attempt))
        _tell_failure(attempt, whose.order, attempt.idem_key, told, Order.Progress.CHECKING)
        mails.failed(attempt, Code.OUTCOME_UNKNOWN)


@lasting
def skipped(whose: Whose, reason: NotWanted) -> None:
    """Nothing was wanted: Salesforce knows best and is not written to."""
    attempts.end(attempt_id=whose.attempt_id, to=State.SKIPPED, epoch=whose.epoch, changes={"error_code": reason.code})


def lost(*, order_id: str, idem_key: str, correlation_id: str) -> bool:
    """An order that is Activating though its request was dealt with: it becomes Failed, so that somebody asks again.

    Repeatable: one report per key; False when it was made before.
    """
    now = timezone.now()
    outcome = OrderOutcome(
        order_id=order_id,
        idem_key=attempts.report_key(idem_key),
        provisioned=False,
        attempt_count=_count(order_id),
        at=now,
        error=for_salesforce(Code.LOST_REQUEST),
    )
    with commit("outcome.lost"):
        _row, made = Outbox.objects.get_or_create(
            dedupe_key=f"lost:{order_id}:{idem_key}",
            defaults={
                "kind": Outbox.Kind.OUTCOME,
                "order_id": order_id,
                "payload": as_payload(outcome),
                "correlation_id": correlation_id,
                "next_try_at": Now(),
            },
        )
        if made:
            record_progress(sf_order_id=order_id, progress=Order.Progress.FAILED, at=now)
    return made


def as_payload(outcome: OrderOutcome) -> dict[str, Any]:
    """An outcome as the outbox keeps it; `from_payload` is its inverse."""
    replaces = outcome.replaces.isoformat() if outcome.replaces else None
    return {**asdict(outcome), "at": outcome.at.isoformat(), "replaces": replaces}


def from_payload(payload: Mapping[str, Any]) -> OrderOutcome:
    replaces = datetime.fromisoformat(payload["replaces"]) if payload.get("replaces") else None
    return OrderOutcome(**{**payload, "at": datetime.fromisoformat(payload["at"]), "replaces": replaces})


def _tell_failure(
    attempt: Attempt, order: ProvisionableOrder | None, key: str, text: str, progress: Order.Progress
) -> None:
    now = timezone.now()
    record_progress(sf_order_id=attempt.order_id, progress=progress, at=now)
    _enqueue(attempt, {**_report(attempt, order, key, now), "error": text, "whmcs_order_id": attempt.whmcs_order_id})


def _report(attempt: Attempt, order: ProvisionableOrder | None, key: str, now: datetime) -> dict[str, Any]:
    """What every report says. An org without Last_Idem_Key__c is compared by status alone (decisions.md 19)."""
    has_keys = order is None or bool(order.last_idem_key)
    outcome = OrderOutcome(
        order_id=attempt.order_id,
        idem_key=attempts.report_key(key) if has_keys else "",
        provisioned=False,
        attempt_count=_count(attempt.order_id),
        at=now,
        opportunity_id=order.opportunity_id if order else "",
    )
    return as_payload(outcome)


def _enqueue(attempt: Attempt, payload: Mapping[str, Any]) -> None:
    """A later report of the same attempt replaces an earlier one, here and in Salesforce, sent or just being sent."""
    earlier = Outbox.objects.filter(attempt=attempt, kind=Outbox.Kind.OUTCOME).order_by("-id").first()
    if earlier is not None:
        payload = {**payload, "replaces": earlier.payload["at"]}
        unsent = Outbox.objects.filter(pk=earlier.pk, state__in=[Outbox.State.PENDING, Outbox.State.REFUSED])
        if unsent.update(state=Outbox.State.SUPERSEDED):
            tasks.settle(about=f"report:{earlier.pk}", reason="a later report takes its place")
    Outbox.objects.create(
        kind=Outbox.Kind.OUTCOME,
        dedupe_key=f"outcome:{attempt.pk}:{attempt.state}",
        order_id=attempt.order_id,
        attempt=attempt,
        payload=payload,
        correlation_id=attempt.correlation_id,
        next_try_at=Now(),
    )


def _open_calls(attempt: Attempt) -> list[RemoteCall]:
    return list(calls.open_calls(subject_of(attempt.order_id)))


def _count(order_id: str) -> int:
    return Attempt.objects.filter(order_id=order_id).exclude(state__in=[State.SKIPPED, State.QUEUED]).count()
