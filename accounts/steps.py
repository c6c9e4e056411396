"""The steps of the journey, each resumable: look first, then make, then store (decisions.md 2-5)."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts import journeys, numbers
from accounts.models import CustomerLink, ProfileSync, SignupJourney
from accounts.names import addressee
from accounts.payment import ASKED_EVERY
from accounts.profile.on_file import for_the_form
from integrations import gateway
from integrations.salesforce.schemas import AccountRecord, NewAccount
from integrations.whmcs.schemas import Client
from journal import calls
from notifications import outgoing

Step = SignupJourney.Step


class NumberUnmatched(Exception):
    """No Account has this number, or somebody is or is being linked to it: told to the customer in the same words."""


class NotThereYet(Exception):
    """Salesforce gives the Account its number a little later; the journey waits for it."""


class NeedsSupport(Exception):
    """A person must decide. `code` is a short stable word, `account` the Account it is about."""

    def __init__(self, code: str, account: AccountRecord | None = None) -> None:
        super().__init__(code)
        self.code, self.account = code, account


@dataclass
class Run:
    """One run of a journey, with what it has in hand and the next one would not."""

    journey: SignupJourney
    account: AccountRecord | None = None


def find_account(run: Run) -> None:
    """The Account: the one with the claimed number, or a new one."""
    journey = run.journey
    account = _claimed_account(journey) if journey.kind == SignupJourney.Kind.LEGACY else _own_account(journey)
    run.account = account
    ids = {"sf_account_id": account.id, "sf_contact_id": _contact(journey, account), "sf_account_no": account.number}
    try:
        with transaction.atomic():
            journeys.record(journey, step=Step.CLIENT, whmcs_client_id=named_client(account), **ids)
    except IntegrityError:  # somebody else is being linked to this Account at this moment
        raise NumberUnmatched from None


def named_client(account: AccountRecord) -> int | None:
    """The WHMCS client that WH_Account__c names. Raises NeedsSupport when it holds something else."""
    text = account.whmcs_client.strip()
    if text and not text.isdecimal():
        raise NeedsSupport("client_unreadable", account)
    return int(text) if text else None


def _claimed_account(journey: SignupJourney) -> AccountRecord:
    number = numbers.read(journey.claimed_number)
    if number is None:
        raise NumberUnmatched
    journeys.hold(journey)
    account = gateway.salesforce().account_by_number(number)
    if account is None or linked_elsewhere(sf_account_id=account.id, user_id=journey.user_id):
        raise NumberUnmatched
    named_client(account)  # an unreadable one is support's business before anything else
    if not account.contact_of(journey.user.email):
        raise NeedsSupport("email_differs", account)
    return _open(account)


def _open(account: AccountRecord) -> AccountRecord:
    """The Account unless it was closed: only support opens one again (decisions.md 6)."""
    if account.portal_status == CustomerLink.CLOSED:
        raise NeedsSupport("account_closed", account)
    return account


def _contact(journey: SignupJourney, account: AccountRecord) -> str:
    """The Contact that is this person, by the e-mail address; on an Account that we made, the one made with it. Empty
    when nobody there has the address: another person's Contact is never taken."""
    ours = account.contacts[:1] if journey.kind == SignupJourney.Kind.NEW else ()
    return account.contact_of(journey.user.email) or next((each.id for each in ours), "")


def _own_account(journey: SignupJourney) -> AccountRecord:
    salesforce, ref = gateway.salesforce(), str(journey.ref)
    journeys.hold(journey)
    account = salesforce.account_by_ref(ref)
    if account is None:
        journeys.hold(journey)
        account = salesforce.create_account(
            NewAccount(
                ref=ref,
                given_name=journey.user.given_name,
                family_name=journey.user.family_name,
                email=journey.user.email,
                registration_source=journey.source,
                number=numbers.made_here(journey.pk),
            )
        )
    if not account.number:
        raise NotThereYet
    return _open(account)


def linked_elsewhere(*, user_id: int, **ids: object) -> bool:
    """Whether another user is linked to the Account or client named by `ids`; provisional links do not count."""
    links = CustomerLink.objects.filter(state=CustomerLink.State.LINKED, **ids)
    return links.exclude(user_id=user_id).exists()


def find_client(run: Run) -> None:
    """The WHMCS client: the one the Account names, the one with our e-mail, or a new one."""
    journey = run.journey
    _account_of(run)
    client_id = _named(journey) if journey.whmcs_client_id else _found_or_made(run)
    journeys.record(journey, step=Step.LINK, whmcs_client_id=client_id, client_is_new=journey.client_is_new)


def _named(journey: SignupJourney) -> int:
    journeys.hold(journey)
    client = gateway.whmcs().client(journey.whmcs_client_id or 0)
    if client is None:
        raise NeedsSupport("client_missing")
    return _adopt(journey, client)


def _found_or_made(run: Run) -> int:
    journey = run.journey

    def look_up() -> int | None:
        client = gateway.whmcs().client_by_email(journey.user.email)
        return None if client is None else _adopt(journey, client)

    def make() -> int:
        journey.client_is_new = True
        return gateway.whmcs().add_client(
            email=journey.user.email,
            given_name=journey.user.given_name,
            family_name=journey.user.family_name,
            language=journey.user.language,
            customer_number=journey.sf_account_no,
        )

    journeys.hold(journey, settings.READ_DEADLINE_S * 2 + settings.ADD_ORDER_DEADLINE_S)
    return calls.once(
        subject=f"client:{journey.ref}",
        operation="whmcs.AddClient",
        owner=f"journey:{journey.pk}:{journey.tries}",
        deadline_s=settings.ADD_ORDER_DEADLINE_S,
        look_up=look_up,
        call=make,
        fence=lambda: journeys.hold(journey, settings.ADD_ORDER_DEADLINE_S),
        record=lambda client_id: {"client_id": client_id},
    )


def _adopt(journey: SignupJourney, client: Client) -> int:
    """An existing client becomes this customer's only if nothing says it is somebody else's (decisions.md 3)."""
    number = client.custom_fields.get(settings.WHMCS_CUSTOMER_NUMBER_FIELD_ID, "").strip()
    if number not in ("", journey.sf_account_no) or client.status == "Closed":
        raise NeedsSupport("client_of_another")
    if linked_elsewhere(whmcs_client_id=client.id, user_id=journey.user_id):
        raise NeedsSupport("client_of_another")
    if not number:
        journeys.hold(journey)
        gateway.whmcs().set_customer_number(client_id=client.id, customer_number=journey.sf_account_no)
    return client.id


def link(run: Run) -> None:
    """User, Account, number and client are one customer from here on. Replaces a provisional link."""
    journey, account = run.journey, _account_of(run)
    values: dict[str, object] = {
        "state": CustomerLink.State.LINKED,
        "sf_account_id": journey.sf_account_id,
        "sf_contact_id": _contact(journey, account),  # support may have put the address there since the journey stopped
        "sf_account_no": journey.sf_account_no,
        "whmcs_client_id": journey.whmcs_client_id,
        "has_payment_method": False if journey.client_is_new else None,
        "payment_ask_at": timezone.now() + ASKED_EVERY if journey.client_is_new else None,
        "portal_status": "Active",
        "internet_eligibility": account.internet_eligibility,
        "internet_eligibility_status": account.internet_eligibility_status,
        "internet_eligibility_requested_at": account.internet_eligibility_requested_at,
        "identity_status": account.identity_status,
        "address_on_file": for_the_form(account.on_file),
    }
    try:
        with transaction.atomic():
            CustomerLink.objects.update_or_create(user_id=journey.user_id, defaults=values)
            waiting = ProfileSync.objects.filter(user_id=journey.user_id, next_try_at__isnull=False)
            waiting.update(due_since=Now())  # what was changed before can be sent from here on only
            journeys.record(journey, step=Step.WRITE_BACK)
    except IntegrityError as error:  # linked by somebody else since the first step looked
        raise NeedsSupport("already_linked") from error


def _account_of(run: Run) -> AccountRecord:
    """The Account in hand; what an earlier run, or support's decision, found is read again, as it may be hours old.
    Raises NeedsSupport when it was closed meanwhile, deleted, or merged into another."""
    if run.account is None:
        journeys.hold(run.journey)
        found = _read_again(run.journey)
        if found is None or found.id != run.journey.sf_account_id:
            raise NeedsSupport("account_gone")
        run.account = _open(found)
    return run.account


def _read_again(journey: SignupJourney) -> AccountRecord | None:
    salesforce = gateway.salesforce()
    if journey.kind == SignupJourney.Kind.LEGACY:
        return salesforce.account_by_number(journey.sf_account_no)
    return salesforce.account_by_ref(str(journey.ref))


def write_back(run: Run) -> None:
    """Salesforce learns the client and that the customer uses the portal; a client named there is never overwritten."""
    journey = run.journey
    journeys.hold(journey)
    gateway.salesforce().register_account(
        account_id=journey.sf_account_id, whmcs_client=journey.whmcs_client_id or 0, source=journey.source
    )
    journeys.record(journey, step=Step.WELCOME)


def welcome(run: Run) -> None:
    """The e-mail that says it is done; the journey ends."""
    journey, user = run.journey, run.journey.user
    with transaction.atomic():
        outgoing.queue(
            cause=f"welcome:{journey.ref}",
            template="welcome",
            to=user.email,
            user_id=user.pk,
            language=user.language,
            context={"addressee": addressee(user, user.language), "customer_number": journey.sf_account_no},
        )
        journeys.leave(journey, SignupJourney.State.DONE)


STEPS: dict[str, Callable[[Run], None]] = {
    Step.ACCOUNT: find_account,
    Step.CLIENT: find_client,
    Step.LINK: link,
    Step.WRITE_BACK: write_back,
    Step.WELCOME: welcome,
}
