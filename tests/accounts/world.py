"""Five people who sign up, two systems in memory, customer support, and whatever goes wrong at the nth point of a run.

Maria is the customer 104882; her husband Kenji stands on the same Account; Wei is a customer too but writes from an
address we do not know; Eve has seen Maria's number on a bill; Noa is new.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from django.utils import timezone

from accounts import journeys, signup
from accounts.models import CustomerLink, SignupJourney
from integrations.errors import Rejected, Unavailable, UnknownOutcome
from integrations.failpoints import arm
from integrations.salesforce.schemas import ContactRecord
from integrations.whmcs.schemas import Client
from journal.models import RemoteCall
from tests.accounts.conftest import fresh, run
from tests.accounts.doubles import Died, Salesforce, Whmcs, account
from tests.people import make_user

State = SignupJourney.State
NUMBER = "104882"
MARIA, KENJI, WEI, EVE, NOA = PEOPLE = ("maria", "kenji", "wei", "eve", "noa")
ON_THE_ACCOUNT = (MARIA, KENJI)
COMMITS = ("journey.account", "call.intent", "call.close", "journey.client", "journey.link", "journey.write_back")
COMMIT_POINTS = tuple(f"{name}:{moment}" for name in (*COMMITS, "journey.end") for moment in ("before", "after"))
REPEATED_BY_NOBODY = ("create_account:after", "add_client:after")  # a lost answer leaves them in doubt


def address_of(name: str) -> str:
    return f"{name}@example.jp"


@dataclass
class Trouble:
    """Happens once, at the `nth` point that a run passes: a call before or after, or a commit."""

    nth: int
    kind: str  # die, outage, refused, late, meanwhile
    passed: int = 0

    def strikes(self) -> bool:
        self.passed += 1
        return self.passed == self.nth


@dataclass
class World:
    """Everything outside, and who has signed up so far."""

    salesforce: Salesforce
    whmcs: Whmcs
    signed_up: dict[str, SignupJourney] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    on_their_way: list[Callable[[], object]] = field(default_factory=list)

    # --- what people do

    def sign_up(self, who: str, number: str) -> None:
        if who in self.signed_up:
            return
        user = make_user(address_of(who), given_name=who.title())
        self.signed_up[who] = signup.start(user=user, claimed_number=number, from_checkout=False)
        signup.begin(user)
        signup.begin(user)  # the code was sent twice, by a double click

    def other_number(self, who: str, number: str) -> None:
        self._if_allowed(who, lambda pk: signup.retry_number(journey_id=pk, number=number))

    def as_new(self, who: str) -> None:
        """From two tabs."""
        for _ in range(2):
            self._if_allowed(who, signup.continue_as_new)

    # --- what customer support does

    def accept(self, who: str) -> None:
        if self._if_allowed(who, signup.accept_claim):
            self.accepted.add(who)

    def reject(self, who: str) -> None:
        self._if_allowed(who, signup.reject_claim)

    def resume(self, who: str) -> None:
        self._if_allowed(who, signup.resume)

    def _if_allowed(self, who: str, decide: Callable[[int], None]) -> bool:
        try:
            decide(self.signed_up[who].pk)
        except (KeyError, journeys.NotAllowed, signup.TooManyTries):
            return False
        return True

    # --- what machines do

    def work(self, who: str, trouble: Trouble | None = None, other: str = "") -> None:
        """A worker runs the journey of `who` until it is over, or until the trouble."""
        if who not in self.signed_up:
            return
        with self._watched(trouble, other):
            try:
                run(self.signed_up[who])
            except Died:
                return

    def time_passes(self) -> None:
        """Calls that got lost arrive after all, quarantines end, Salesforce gives the numbers it owes."""
        for arrive in self.on_their_way:
            arrive()
        self.on_their_way.clear()
        RemoteCall.objects.update(quarantine_until=timezone.now())
        self.salesforce.accounts = [
            each if each.number else replace(each, number=f"7{each.id[7:15]}") for each in self.salesforce.accounts
        ]

    @contextmanager
    def _watched(self, trouble: Trouble | None, other: str) -> Iterator[None]:
        if trouble is None:
            yield
            return
        before = self.salesforce.watch
        self.salesforce.watch = self.whmcs.watch = lambda point: self._on_the_wire(point, trouble, other)
        with arm(";".join(f"{point}=call" for point in COMMIT_POINTS), lambda: self._at_a_commit(trouble)):
            yield
        self.salesforce.watch = self.whmcs.watch = before

    def _at_a_commit(self, trouble: Trouble) -> None:
        if trouble.strikes():
            raise Died

    def _on_the_wire(self, point: str, trouble: Trouble, other: str) -> None:
        if not trouble.strikes():
            return
        operation, _, moment = point.partition(":")
        system = "whmcs" if operation in {"client_by_email", "client", "add_client", "set_customer_number"} else "sf"
        if trouble.kind == "meanwhile":
            self.work(other)
        elif trouble.kind == "refused" and moment == "before":
            raise Rejected(system, operation, "refused")
        elif trouble.kind == "outage" and moment == "before":
            raise Unavailable(system, operation, "unreachable")
        elif trouble.kind == "outage" and point in REPEATED_BY_NOBODY:
            raise UnknownOutcome(system, operation, "timeout")
        elif trouble.kind == "late" and operation == "add_client" and moment == "before":
            self._sent_late()
        else:
            raise Died

    def _sent_late(self) -> None:
        """AddClient gets no answer now and is carried out there later."""
        ref = RemoteCall.objects.filter(operation="whmcs.AddClient").latest("pk").subject.removeprefix("client:")
        journey = SignupJourney.objects.select_related("user").get(ref=ref)
        self.on_their_way.append(lambda: self.whmcs.client_made(journey.user.email, journey.sf_account_no))
        raise UnknownOutcome("whmcs", "add_client", "timeout")

    # --- in the end

    def settle(self) -> None:
        """Everything works again, support decides what waits for it, and who is asked for a number gives up."""
        for _ in range(8):
            self.time_passes()
            for who, journey in self.signed_up.items():
                self.work(who)
                state, code = fresh(journey).state, fresh(journey).error_code
                if state == State.NUMBER_UNMATCHED:
                    self.as_new(who)
                elif state == State.WAITING_CS and code == signup.EMAIL_DIFFERS:
                    if who == WEI:
                        self.accept(who)
                    if fresh(journey).state == State.WAITING_CS:
                        self.reject(who)
                elif state == State.WAITING_CS:
                    self.resume(who)

    def link_of(self, who: str) -> CustomerLink | None:
        return (
            CustomerLink.objects.filter(user_id=self.signed_up[who].user_id).first() if who in self.signed_up else None
        )

    def marias(self) -> list[str]:
        """Who is linked to Maria's Account."""
        linked = {who: self.link_of(who) for who in self.signed_up}
        return [who for who, link in linked.items() if link and link.state == "linked" and link.sf_account_no == NUMBER]


def new_world(*, client_named: bool = False, client_known: bool = False, numbers_at_once: bool = True) -> World:
    """Maria's Account, with the WHMCS client it names, or one that only her address tells, or none."""
    people = tuple(ContactRecord(f"003TEST{n:08d}AAA", address_of(who)) for n, who in enumerate(ON_THE_ACCOUNT))
    hers = replace(account(NUMBER, whmcs_client="55" if client_named else ""), contacts=people)
    salesforce, whmcs = Salesforce(accounts=[hers], numbers_come_at_once=numbers_at_once), Whmcs()
    if client_named:
        whmcs.clients.append(Client(55, "household@example.jp", "Active", {12: NUMBER}))
    elif client_known:
        whmcs.clients.append(Client(55, address_of(MARIA), "Active", {}))
    return World(salesforce, whmcs)
