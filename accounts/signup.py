"""Signing up: the portal's user at once, the customer in the other two systems by a journey (product.md §2)."""

from datetime import timedelta

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import journeys
from accounts.journeys import NotAllowed, Taken
from accounts.models import CustomerLink, SignupJourney, User
from accounts.steps import STEPS, NeedsSupport, NotThereYet, NumberUnmatched, Run, linked_elsewhere, named_client
from integrations import correlation
from integrations.errors import OutsideError, Rejected
from integrations.salesforce.schemas import AccountRecord
from journal import calls
from support.cases import open_case

log = structlog.get_logger(__name__)

State, Step, Kind = SignupJourney.State, SignupJourney.Step, SignupJourney.Kind
TRIES_A_DAY = 5
EMAIL_DIFFERS, CLOSED = "email_differs", "account_closed"
# What support should know before deciding, by the code of what stopped the journey.
ADVICE = {
    EMAIL_DIFFERS: "If the number is theirs, put this e-mail address on their own Contact before you accept: the "
    "portal writes name, phone and address to no other Contact.\n",
    CLOSED: "This account was closed. If it may be opened again, empty its Portal Status and try again; otherwise "
    "choose 'The number is not theirs', and they get an Account of their own.\n",
    "account_gone": "Salesforce has this Account no more, or it was merged into another. Restore it and try again.\n",
}


class TooManyTries(Exception):
    """The customer has tried as many customer numbers as a day allows."""


def start(*, user: User, claimed_number: str, from_checkout: bool) -> SignupJourney:
    """Records what the sign-up form said; nothing is asked outside before the e-mail is verified.

    `claimed_number` is as read by `numbers.read`, empty for a new customer. In the caller's transaction.
    """
    kind, source, number = kind_of(claimed_number, from_checkout=from_checkout)
    return SignupJourney.objects.create(user=user, kind=kind, source=source, claimed_number=number)


def kind_of(claimed_number: str, *, from_checkout: bool) -> tuple[str, str, str]:
    """Kind, registration source and claimed number of a journey, by what the form said."""
    if claimed_number:
        return Kind.LEGACY.value, "Legacy", claimed_number
    return Kind.NEW.value, "Portal Checkout" if from_checkout else "Portal Signup", ""


def begin(user: User) -> None:
    """The e-mail is verified: the journey may run. Safe to repeat; a user without a waiting journey is left alone."""
    with transaction.atomic():
        waiting = SignupJourney.objects.select_for_update().filter(user=user, state=State.WAITING_EMAIL).first()
        if waiting is not None:
            journeys.transition(waiting.pk, State.RUNNING)


def advance(journey_id: int) -> None:
    """Carries the journey as far as it goes. Safe to repeat and to run twice at once; not in a transaction.

    Trouble outside is written on the row: the journey is tried again later, waits for the customer (another number)
    or for support (a Case).
    """
    journey = journeys.claim(journey_id)
    if journey is None:
        return
    with correlation.bound(str(journey.ref)):  # one id for all runs of a journey
        try:
            _steps(Run(journey))
        except Taken:
            log.info("journey_taken", journey=journey_id, step=journey.step)


def _steps(run: Run) -> None:
    journey = run.journey
    try:
        while journey.state == State.RUNNING:
            STEPS[journey.step](run)
    except NumberUnmatched:
        journeys.leave(journey, State.NUMBER_UNMATCHED, error_code="number_unmatched")
    except NeedsSupport as need:
        _ask_support(journey, need.code, need.account)
    except NotThereYet:
        journeys.postpone(journey, "no_number_yet", timedelta(seconds=5))
    except Rejected as error:
        _ask_support(journey, error.code, None)
    except (OutsideError, calls.JournalError) as error:
        code = error.code if isinstance(error, OutsideError) else "outcome_unknown"
        journeys.postpone(journey, code, journeys.back_off(journey.tries))


def _ask_support(journey: SignupJourney, code: str, account: AccountRecord | None) -> None:
    """A Case; for somebody else's number also a provisional link, which writes nothing to the Account."""
    user, sf_account_id = journey.user, account.id if account else journey.sf_account_id
    with transaction.atomic():
        open_case(
            cause=f"signup:{journey.ref}:{code}:{sf_account_id}",
            kind="General Inquiry",
            subject=f"Portal sign-up needs a decision: {code}",
            description=_for_support(journey, code),
            user_id=user.pk,
            sf_account_id=sf_account_id,
        )
        found = _link_provisionally(journey, account) if code == EMAIL_DIFFERS and account else {}
        journeys.leave(journey, State.WAITING_CS, error_code=code[:40], **found)


def _for_support(journey: SignupJourney, code: str) -> str:
    user = journey.user
    number = journey.claimed_number or journey.sf_account_no or "none"
    return (
        f"{user.get_full_name()} <{user.email}> signed up in the portal (user {user.pk}, customer number {number}).\n"
        f"The portal stopped at step {journey.step}: {code}.\n"
        f"{ADVICE.get(code, '')}Decide in the portal's admin, under sign-up journeys."
    )


def _link_provisionally(journey: SignupJourney, account: AccountRecord) -> dict[str, object]:
    """Returns what the journey must know of the Account, should support accept the claim."""
    ids: dict[str, object] = {"sf_account_id": account.id, "sf_account_no": account.number}
    CustomerLink.objects.update_or_create(
        user_id=journey.user_id, defaults={"state": CustomerLink.State.PROVISIONAL, **ids}
    )
    return ids | {"sf_contact_id": "", "whmcs_client_id": named_client(account)}


def retry_number(*, journey_id: int, number: str) -> None:
    """The customer gives another number (as read by `numbers.read`).

    Raises TooManyTries after TRIES_A_DAY on one day of Japan, NotAllowed when the journey does not wait for a number.
    """
    today = timezone.localdate()
    with transaction.atomic():
        journey = SignupJourney.objects.select_for_update().get(pk=journey_id)
        tries = journey.number_tries if journey.number_tried_on == today else 0
        if tries >= TRIES_A_DAY:
            raise TooManyTries
        _only(journey.state == State.NUMBER_UNMATCHED)
        counted = {"number_tries": tries + 1, "number_tried_on": today}
        journeys.transition(journey_id, State.RUNNING, claimed_number=number, **counted)


def continue_as_new(journey_id: int) -> None:
    """The customer gives the number up. Raises NotAllowed when the journey does not wait for a number."""
    with transaction.atomic():
        journey = SignupJourney.objects.select_for_update().get(pk=journey_id)
        _only(journey.state == State.NUMBER_UNMATCHED)
        _restart_as_new(journey_id)


def accept_claim(journey_id: int) -> None:
    """Staff: the number is this person's although the e-mail differs. The journey goes on with that Account.

    Raises NotAllowed when no such claim of an enabled user waits, or when the Account has become, or is becoming,
    somebody else's.
    """
    try:
        with transaction.atomic():
            claim = _claim_waiting(journey_id)
            _only(not linked_elsewhere(user_id=claim.user_id, sf_account_id=claim.sf_account_id))
            journeys.transition(journey_id, State.RUNNING, step=Step.CLIENT)
    except IntegrityError as error:  # journey_one_per_account
        raise NotAllowed("somebody else's journey has this Account") from error


def reject_claim(journey_id: int) -> None:
    """Staff: the number is not this person's, or its account stays closed; they go on as a new customer.

    Raises NotAllowed when no such claim of an enabled user waits, or when a client with that number was asked for.
    """
    with transaction.atomic():
        journey = _stopped(journey_id, EMAIL_DIFFERS, CLOSED)
        _only(journey.kind == Kind.LEGACY and not _has_gone_on(journey))
        CustomerLink.objects.filter(user_id=journey.user_id, state=CustomerLink.State.PROVISIONAL).delete()
        _restart_as_new(journey_id)


def resume(journey_id: int) -> None:
    """Staff: try again now, at the step where it stopped. Raises NotAllowed when there is nothing to resume, or when
    the user is disabled."""
    with transaction.atomic():
        journey = SignupJourney.objects.select_for_update().get(pk=journey_id)
        _only(journey.user.is_active)
        if journey.state == State.RUNNING:
            journeys.try_now(journey_id)
        else:
            _only(journey.state == State.WAITING_CS and journey.error_code != EMAIL_DIFFERS)
            journeys.transition(journey_id, State.RUNNING)


def _claim_waiting(journey_id: int) -> CustomerLink:
    journey = _stopped(journey_id, EMAIL_DIFFERS)
    return CustomerLink.objects.get(user_id=journey.user_id, state=CustomerLink.State.PROVISIONAL)


def _stopped(journey_id: int, *codes: str) -> SignupJourney:
    """The journey under its row lock, if it waits for support with one of these codes. Raises NotAllowed."""
    journey = SignupJourney.objects.select_for_update().get(pk=journey_id)
    _only(journey.user.is_active and journey.state == State.WAITING_CS and journey.error_code in codes)
    return journey


def _has_gone_on(journey: SignupJourney) -> bool:
    """Whether WHMCS has, or may yet get, a client of the number's: it must not become another Account's."""
    later = journey.step not in (Step.ACCOUNT, Step.CLIENT)
    return later or calls.last_call(f"client:{journey.ref}", "whmcs.AddClient") is not None


def _restart_as_new(journey_id: int) -> None:
    nothing = {"claimed_number": "", "sf_account_id": "", "sf_contact_id": "", "sf_account_no": ""}
    journeys.transition(
        journey_id,
        State.RUNNING,
        kind=Kind.NEW,
        source="Portal Signup",
        step=Step.ACCOUNT,
        whmcs_client_id=None,
        client_is_new=False,
        **nothing,
    )


def _only(allowed: bool) -> None:
    if not allowed:
        raise NotAllowed
