"""What a person needs who finds a fault at night: what happened, what is certain, what is not, and the next step.

Every code has the four texts, and an unknown outcome has them for each call that was open. The attempt's page shows
them; Salesforce gets the short form of them in one field.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from journal.models import RemoteCall
from provisioning.failures import CUSTOMER_CAUSES, TEXT_LIMIT, Code, error_text
from provisioning.models import Attempt

# How the causes of an ended unknown outcome begin: by them its explanation is found again.
EARLIER_RUNS = "an earlier request may be running"
NOTHING_THERE = "looked again, nothing was ordered"
THERE_NOT_ACTIVE = "looked again, WHMCS order"
WORKS_WITHOUT_LINE = "looked again, WHMCS order"  # of esim_error
TICKET_OPEN = "eSIM ticket"  # of an outcome that is still unknown


@dataclass(frozen=True)
class Explanation:
    """Four short texts; they may name the facts `until`, `step`, `operation` and `mark` as %(name)s."""

    happened: Promise
    certain: Promise
    unknown: Promise
    next_step: Promise
    brief: str = ""  # what is unknown, as Salesforce is told; English, without a full stop

    def told(self, facts: Mapping[str, str]) -> "Told":
        """The texts in the reader's language, with the facts in their places."""
        four = (self.happened, self.certain, self.unknown, self.next_step)
        happened, certain, unknown, next_step = (str(text) % facts for text in four)
        return Told(happened, certain, unknown, next_step)


@dataclass(frozen=True)
class Told:
    """An explanation as it is read."""

    happened: str
    certain: str
    unknown: str
    next_step: str
    by_customer: bool = False


NOTHING_SENT = _("This attempt sent WHMCS nothing that makes or charges anything.")
DEFINITE = _("Nothing: the failure is definite.")
ASK_AGAIN = _("Request provisioning again.")
PASSED_CHECKS = _("The order, the customer and the card were in order. The portal will not send it a second time.")
LOOKS_AGAIN = _("Wait until %(until)s, the portal looks again; or look in WHMCS for the mark.")

CODES: Mapping[str, tuple[Promise, Promise, Promise]] = {  # what is certain, what is not, the next step
    Code.PAYMENT_METHOD_MISSING: (
        NOTHING_SENT,
        DEFINITE,
        _("The customer was asked to register a card. Then request provisioning again."),
    ),
    Code.IDENTITY_PENDING: (
        NOTHING_SENT,
        DEFINITE,
        _("Check the identity document in Salesforce, then request provisioning again."),
    ),
    Code.ORDER_NOT_APPROVED: (
        NOTHING_SENT,
        _("Whether the customer still wants the order."),
        _("Approve the order in Salesforce, or leave it if it was cancelled."),
    ),
    Code.CLIENT_MISMATCH: (
        NOTHING_SENT,
        _("Which of the two clients is the customer's."),
        _("Compare the Account's WH_Account__c with the customer's link and correct the wrong one."),
    ),
    Code.NO_WHMCS_CLIENT: (
        NOTHING_SENT,
        _("Whether the customer has a client in WHMCS."),
        _("Write the WHMCS client id into the Account, then request provisioning again."),
    ),
    Code.PRODUCT_UNMAPPED: (
        NOTHING_SENT,
        DEFINITE,
        _("Correct the product in Salesforce or WHMCS, then request provisioning again."),
    ),
    Code.ITEMS_CHANGED: (
        _("WHMCS holds this order with other items than Salesforce has now. This attempt added nothing to it."),
        _("Which of the two the customer wants."),
        _("Cancel the WHMCS order or put the items back, then request provisioning again."),
    ),
    Code.ORDER_INCOMPLETE: (
        _("WHMCS made an order with our mark, and an item is missing in it. It was not accepted."),
        _("Why WHMCS left the item out."),
        _("Request provisioning again: the incomplete order is cancelled and made anew."),
    ),
    Code.DUPLICATE_ACTIVE: (
        _("The WHMCS orders named in the cause carry this order's mark, and a service or payment hangs on each."),
        _("Which of them is to stay, and whether the customer paid twice."),
        _("Find out in WHMCS which order is right and terminate the other one."),
    ),
    Code.MARK_CONFLICT: (
        _("This attempt accepted nothing. The portal provisioned the WHMCS order in the cause for the order it names."),
        _("Which of the two orders the WHMCS order is really for."),
        _("Compare both orders with the services in WHMCS, correct their mark, then request provisioning again."),
    ),
    Code.CANCELLED_IN_WHMCS: (
        _("The WHMCS order named in the cause does not count any more. The portal makes no other one by itself."),
        _("Whether it was cancelled on purpose."),
        _("If a new WHMCS order is wanted, choose “create anew”, then request it again."),
    ),
    Code.SERVICE_NOT_ACTIVE: (
        _("The WHMCS order named in the cause is accepted. It will not be ordered a second time."),
        _("Whether its module is still at work or has failed."),
        _("Look at the module queue in WHMCS, then request provisioning again."),
    ),
    Code.WHMCS_ERROR: (
        _("WHMCS answered, and the answer was no. If a WHMCS order is named here, it exists and is gone on with."),
        _("Why WHMCS refused, beyond the words in the cause."),
        _("Correct in WHMCS what the text says, then request provisioning again."),
    ),
    Code.WHMCS_UNREACHABLE: (NOTHING_SENT, DEFINITE, _("When WHMCS works again, request provisioning again.")),
    Code.ESIM_ERROR: (
        _("The eSIM provider answered. WHMCS has not been asked to order anything by this attempt."),
        _("Why the provider refused, beyond the words in the cause."),
        _("Do at the eSIM provider what the cause says, then request provisioning again."),
    ),
    Code.ESIM_UNREACHABLE: (
        NOTHING_SENT,
        DEFINITE,
        _("When the eSIM provider works again, request provisioning again."),
    ),
    Code.NO_ESIM_PROVIDER: (
        NOTHING_SENT,
        DEFINITE,
        _("Set ESIM_API_URL and ESIM_API_KEY, then request provisioning again."),
    ),
    Code.SF_ERROR: (
        NOTHING_SENT,
        DEFINITE,
        _("Check the integration user's permissions, then request provisioning again."),
    ),
    Code.SF_UNREACHABLE: (NOTHING_SENT, DEFINITE, _("When Salesforce works again, request provisioning again.")),
    Code.SF_LIMIT: (NOTHING_SENT, DEFINITE, _("Wait until the limit is renewed, then request provisioning again.")),
    Code.INTERRUPTED: (
        _("By the journal of calls, WHMCS had been sent nothing; an eSIM that was asked for is kept."),
        DEFINITE,
        ASK_AGAIN,
    ),
    Code.LOST_REQUEST: (
        _("Salesforce says Activating, and nobody here works on the order."),
        _("Where the request was lost."),
        ASK_AGAIN,
    ),
    Code.MARKED_FAILED: (
        _("The attempt is over. A call that is still open below stays locked until its time is over."),
        _("What became of such an open call."),
        _("Read the reason with the attempt's steps, then request again or leave it."),
    ),
    Code.INTERNAL_ERROR: (
        _("WHMCS holds nothing of this attempt."),
        _("What went wrong: the log has it under the attempt's id."),
        _("Tell the developers the attempt's id, then request provisioning again."),
    ),
    Code.UNKNOWN_ORDER: (
        _("Nothing was done, and Salesforce was not written to."),
        _("Whether the event came from another org."),
        _("Nothing to do, unless the event came from another org."),
    ),
    Code.NOT_ACTIVATING: (
        _("Nothing was done, and Salesforce was not written to."),
        DEFINITE,
        _("Nothing to do."),
    ),
}

LINE_ENDED = (  # of esim_error, when what was ordered after the line works
    _("WHMCS has the order named in the cause, and its services work. The eSIM line named there does not."),
    _("Who ended the line, and whether the customer still wants the service."),
    _("Have the provider activate the line again, then request again; or end the services in WHMCS."),
)

UNANSWERED = _("%(operation)s was sent, and no usable answer came.")
STOPPED = _("The worker stopped at step %(step)s, and what %(operation)s brought was not kept.")

# By the beginning of the open call's operation.
OPEN_CALLS: Mapping[str, Explanation] = {
    "whmcs.AddOrder": Explanation(
        UNANSWERED,
        PASSED_CHECKS,
        _("Whether WHMCS made an order and an invoice."),
        LOOKS_AGAIN,
        "whether WHMCS made an order",
    ),
    "whmcs.AcceptOrder": Explanation(
        UNANSWERED,
        _("The WHMCS order exists. The portal will not order or accept it a second time."),
        _("Whether its services were set up."),
        _("Wait until %(until)s, the portal looks again; or look at the order's services in WHMCS."),
        "whether the services were set up",
    ),
    "whmcs.ModuleCreate": Explanation(
        UNANSWERED,
        _("The WHMCS order exists, and its other services were left alone."),
        _("Whether this service was set up."),
        _("Wait until %(until)s, the portal looks again; or look at the service's module in WHMCS."),
        "whether the service was set up",
    ),
    "esim.": Explanation(
        UNANSWERED,
        _("WHMCS has not been asked to order anything yet. The provider knows the request by our key."),
        _("Whether the provider made an eSIM profile."),
        _("Wait until %(until)s, the portal asks again; or ask the provider for the order id."),
        "whether the eSIM provider made a profile",
    ),
}
NO_OPEN_CALL = Explanation(
    _("WHMCS holds an order for this, and then something else went wrong."),
    _("Every call was answered. Nothing is still under way in WHMCS."),
    _("Whether the services work."),
    _("Wait: the portal looks again by itself within minutes; or look at the order in WHMCS."),
    "whether the services work",
)
UNDER_WAY: Mapping[str, Explanation] = {
    Attempt.State.QUEUED: Explanation(
        _("The request came in and waits for a worker."),
        NOTHING_SENT,
        _("When it is its turn."),
        _("Nothing to do, unless it has waited for more than five minutes: then look at “Provisioning now”."),
    ),
    Attempt.State.RUNNING: Explanation(
        _("A worker is at step %(step)s."),
        _("Should the worker die, the sweep ends the attempt; it is never run a second time."),
        _("How it will end."),
        _("Nothing to do. What is wanted of it meanwhile waits."),
    ),
    Attempt.State.WAITING: Explanation(
        _("The eSIM provider accepted the activation and has not finished it."),
        _("WHMCS has not been asked to order anything yet. The portal asks for the ticket again and again."),
        _("When the provider finishes, and whether it succeeds."),
        _("Nothing to do before the time at which the ticket is given up; or ask the provider by the ticket."),
    ),
}
TICKET_STILL_OPEN = Explanation(
    _("The eSIM provider accepted the activation and has not finished it in the time that is waited for it."),
    _("WHMCS has not been asked to order anything yet. The portal asks for no second eSIM."),
    _("Whether the provider will activate the line."),
    _("Ask the provider about the ticket in the cause; the portal goes on looking. When it ends, request again."),
    "whether the provider will activate the eSIM",
)
ENDED_UNKNOWN: Mapping[str, Explanation] = {
    EARLIER_RUNS: Explanation(
        _("An earlier request for this order was sent and not answered, so nothing was sent now."),
        NOTHING_SENT,
        _("What became of the earlier request. It cannot be under way any more after %(until)s."),
        _("Wait until %(until)s, then request provisioning again."),
        "what became of the earlier request",
    ),
    NOTHING_THERE: Explanation(
        _("A request was sent to WHMCS and not answered. When nothing could be under way any more, the portal looked."),
        _("WHMCS has no order with this order's mark."),
        _("Nothing any more."),
        ASK_AGAIN,
    ),
    THERE_NOT_ACTIVE: Explanation(
        _("A request was sent to WHMCS and not answered. When nothing could be under way any more, the portal looked."),
        _("WHMCS has the order named in the cause, and a service of it is not active."),
        _("Why the service is not active."),
        _("Request provisioning again: it goes on with that WHMCS order."),
    ),
}
ENDED_OTHERWISE = Explanation(
    _("A request was sent to WHMCS and no answer came."),
    _("The portal does not look any more."),
    _("Whether WHMCS made an order."),
    _("Look in WHMCS for the mark before anything else; then request provisioning again."),
    "whether WHMCS made an order",
)


def explain(
    code: str, *, cause: str = "", live: bool = False, step: str = "", open_calls: Iterable[RemoteCall] = ()
) -> Told | None:
    """What staff read about an attempt's end in their language; None for a code that this release does not know.

    `live`: the outcome is still looked for (UNKNOWN). `open_calls` are the order's, oldest first.
    """
    if code not in Code.values:
        return None
    if code == Code.OUTCOME_UNKNOWN:
        first = next(iter(open_calls), None)
        return _unknown(cause, live, first).told(_facts(step, first))
    without_line = code == Code.ESIM_ERROR and cause.startswith(WORKS_WITHOUT_LINE)
    certain, unknown, next_step = (str(text) for text in (LINE_ENDED if without_line else CODES[code]))
    return Told(str(Code(code).label), certain, unknown, next_step, code in CUSTOMER_CAUSES)


def explain_under_way(state: str, *, step: str = "") -> Told | None:
    """What staff read about an attempt that is queued, running or waiting; None for one that is not."""
    found = UNDER_WAY.get(state)
    return found.told(_facts(step, None)) if found else None


def for_salesforce(code: str, cause: str = "", *, live: bool = False, open_calls: Iterable[RemoteCall] = ()) -> str:
    """`code: cause. Unknown: …. Next: …` in English and at most 255 characters; what is too long is cut from the cause.

    The cause must hold no personal data (failures.Failure).
    """
    first = next(iter(open_calls), None)
    with translation.override("en"):
        told = explain(code, cause=cause, live=live, open_calls=[first] if first else [])
    if told is None:
        return error_text(code, cause)
    brief = _unknown(cause, live, first).brief if code == Code.OUTCOME_UNKNOWN else ""
    tail = f"{f'Unknown: {brief}. ' if brief else ''}Next: {_lowered(told.next_step)}"
    head = error_text(code, cause).rstrip(".")
    if not cause:
        return f"{code}: {tail}"[:TEXT_LIMIT]
    return f"{head[: TEXT_LIMIT - len(tail) - 2]}. {tail}"


def _unknown(cause: str, live: bool, first: RemoteCall | None) -> Explanation:
    if not live:
        return next((each for begin, each in ENDED_UNKNOWN.items() if cause.startswith(begin)), ENDED_OTHERWISE)
    if first is None:
        return TICKET_STILL_OPEN if cause.startswith(TICKET_OPEN) else NO_OPEN_CALL
    found = next((each for begin, each in OPEN_CALLS.items() if first.operation.startswith(begin)), NO_OPEN_CALL)
    interrupted = first.error_code == "interrupted"
    return Explanation(STOPPED, found.certain, found.unknown, found.next_step, found.brief) if interrupted else found


def _facts(step: str, call: RemoteCall | None) -> Mapping[str, str]:
    return {
        "until": f"{timezone.localtime(call.quarantine_until):%H:%M}" if call else "?",
        "operation": call.operation if call else "?",
        "step": step or "claim",
    }


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
