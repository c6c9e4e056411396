"""One attempt from claim to outcome (reliability.md §2): guard, payment, eSIM, AddOrder, AcceptOrder, read back."""

import math
import time
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.utils import timezone

from integrations import correlation, gateway
from integrations.errors import OutsideError
from integrations.salesforce.schemas import ProvisionableOrder
from journal.calls import JournalError, OutcomeUnknown, Quarantined
from provisioning import esim, guard, mapping, ordering, outbox, outcome, pause
from provisioning.attempts import Fenced
from provisioning.claims import Claim, claim
from provisioning.explanations import EARLIER_RUNS
from provisioning.failures import CUSTOMER_CAUSES, Code, Failure, NotWanted, from_outside
from provisioning.outcome import Delivered, Whose
from provisioning.steps import INTERRUPTIONS, step
from provisioning.wakeups import wake

log = structlog.get_logger(__name__)


def work_off(*, for_s: float = math.inf) -> int:
    """Claims and runs queued attempts, the oldest first, until there is none; returns how many it ran.

    After `for_s` seconds it claims no more and wakes another job instead, so that no job's time-out ever strikes an
    attempt that waited its turn. Repeatable and safe in any number of processes. Raises only what stops the process:
    RQ's time-outs and a database that is away; the sweep then finds what was left.
    """
    count, until = 0, time.monotonic() + for_s
    while claimed := claim():
        run(claimed)
        count += 1
        if time.monotonic() >= until:
            wake()
            break
    return count


def run(claimed: Claim) -> None:
    """Carries one claimed attempt to its outcome and reports it."""
    attempt = claimed.attempt
    with correlation.bound(attempt.correlation_id):
        bound = {"attempt_id": str(attempt.pk), "order_id": attempt.order_id, "epoch": claimed.epoch}
        with structlog.contextvars.bound_contextvars(**bound):
            try:
                _Run(claimed).to_its_end()
            except Fenced:
                log.warning("attempt_fenced")
                return
            outbox.deliver_for(attempt)


@dataclass
class _Run:
    """One attempt under way; `order` is what was last read, for the report."""

    claim: Claim
    order: ProvisionableOrder | None = None
    read_at: float = 0.0

    @property
    def whose(self) -> Whose:
        return Whose(self.claim.attempt.pk, self.claim.epoch, self.order)

    def to_its_end(self) -> None:
        """Whatever happens becomes an outcome; only an interruption, a database that stays away or a lost claim not."""
        try:
            delivered = self.provision()
            outcome.provisioned(self.whose, delivered)
        except (*INTERRUPTIONS, Fenced):
            raise
        except esim.Waiting as waiting:
            outcome.waiting(self.whose, waiting.ticket_ref)
            pause.note_reachable()
        except NotWanted as reason:
            outcome.skipped(self.whose, reason)
        except Failure as failure:
            self.fail_if_answered(failure)
        except JournalError as error:
            self.leave_open(error)
        except OutsideError as error:
            self.fail_or_leave_open(from_outside(error))
        except Exception as error:
            log.exception("attempt_crashed")
            self.fail_or_leave_open(Failure(Code.INTERNAL_ERROR, type(error).__name__))
        else:
            pause.note_reachable()

    def provision(self) -> Delivered:
        self.read_order()
        assert self.order is not None
        with step(self.claim, "validate", deadline_s=settings.READ_DEADLINE_S):
            client_id = guard.client_of(self.order)
            lines, pieces = mapping.lines_of(self.order), esim.pieces_of(self.order)
        work = ordering.Work(self.claim, self.order.id, client_id, lines)
        self.check_payment(client_id)
        iccid = esim.activate(self.claim, pieces, before_activating=self.read_order_again)
        found = ordering.place(work, before_adding=self.read_order_again)
        refusal = ordering.accept(work, found)
        return outcome.delivered(lines, ordering.confirm(work, found, refusal), iccid=iccid)

    def read_order(self) -> None:
        asked_at = time.monotonic()  # not when the answer was worked through: a process may stand still in between
        order = guard.read(self.claim)
        self.order, self.read_at = order, asked_at
        outcome.begun(self.claim, order)

    def read_order_again(self) -> None:
        """A customer may have cancelled meanwhile: before something is made, what was read must be fresh."""
        if time.monotonic() - self.read_at > guard.READ_AGAIN_AFTER_S:
            asked_at = time.monotonic()
            order = guard.read(self.claim, name="guard_again")
            if self.order is not None and order.items != self.order.items:
                raise Failure(Code.ITEMS_CHANGED, "changed while it was being provisioned")
            self.order, self.read_at = order, asked_at

    def check_payment(self, client_id: int) -> None:
        with step(self.claim, "payment", deadline_s=settings.READ_DEADLINE_S) as result:
            methods = gateway.whmcs().pay_methods(client_id)
            result.update(stored=len(methods), expired=sum(method.expired for method in methods))
            if all(method.expired for method in methods):
                raise Failure(Code.PAYMENT_METHOD_MISSING, "all expired" if methods else "none stored")

    def fail(self, failure: Failure) -> None:
        outcome.failed(self.whose, failure)
        if failure.code == Code.WHMCS_UNREACHABLE:
            pause.note_unreachable()
        elif failure.code in {Code.WHMCS_ERROR, Code.PAYMENT_METHOD_MISSING}:
            pause.note_reachable()

    def fail_if_answered(self, failure: Failure) -> None:
        """A definite end, unless it was found by the look after a lost answer: that call may still be carried out.

        Nor does a customer whose services work and whose card or identity is missing now have a failed order.
        """
        attempt = self.claim.attempt
        works_anyway = failure.code in CUSTOMER_CAUSES and ordering.was_delivered(attempt.order_id)
        if works_anyway or ordering.is_unanswered(attempt):
            outcome.unknown(self.whose, str(failure))
        else:
            self.fail(failure)

    def leave_open(self, error: JournalError) -> None:
        """A call that was sent and not answered must not be called a definite failure."""
        if isinstance(error, Quarantined):
            again_at = f"{timezone.localtime(error.until):%H:%M}"
            self.fail(Failure(Code.OUTCOME_UNKNOWN, f"{EARLIER_RUNS}, retry after {again_at}"))
        elif isinstance(error, OutcomeUnknown):
            sent_at = f"{timezone.localtime(error.call.created_at):%H:%M}"
            outcome.unknown(self.whose, f"{error.call.operation}, sent at {sent_at}, got no answer")
        else:
            self.fail_or_leave_open(Failure(Code.INTERNAL_ERROR, type(error).__name__))

    def fail_or_leave_open(self, failure: Failure) -> None:
        """Trouble that says nothing about the order: a failure as long as WHMCS holds nothing of it."""
        if not ordering.leaves_something(self.claim.attempt):
            self.fail(failure)
            return
        outcome.unknown(self.whose, str(failure))
        if failure.code == Code.WHMCS_UNREACHABLE:
            pause.note_unreachable()
