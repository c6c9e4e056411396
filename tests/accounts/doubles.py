"""Salesforce and WHMCS at the gateway, in memory: for what the wire cannot show, such as dying between two lines."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from integrations.errors import Rejected
from integrations.salesforce.schemas import AccountRecord, ContactRecord, NewAccount
from integrations.whmcs.schemas import Client, PayMethod, Service


class Died(BaseException):
    """The process is gone: nothing of ours catches this."""


def _nothing(point: str) -> None:
    """What happens at a point of most tests."""


@dataclass
class Double:
    """Counts calls, and dies or fails where a test says so; `watch` hears of every call, before and after."""

    calls: list[str] = field(default_factory=list)
    before: dict[str, BaseException] = field(default_factory=dict)
    after: dict[str, BaseException] = field(default_factory=dict)
    watch: Callable[[str], None] = _nothing

    def called(self, name: str) -> None:
        self.calls.append(name)
        self.watch(f"{name}:before")
        if name in self.before:
            raise self.before.pop(name)

    def answered(self, name: str) -> None:
        self.watch(f"{name}:after")
        if name in self.after:
            raise self.after.pop(name)


def account(number: str, *, email: str = "aiko@example.jp", whmcs_client: str = "", n: int = 1) -> AccountRecord:
    return AccountRecord(
        id=f"001TEST{n:08d}AAA",
        number=number,
        name="Sato Aiko",
        whmcs_client=whmcs_client,
        portal_status="",
        contacts=(ContactRecord(f"003TEST{n:08d}AAA", email),),
        internet_eligibility="Apartment 1G",
        internet_eligibility_status="Checked",
        identity_status="Verified",
    )


@dataclass
class Salesforce(Double):
    accounts: list[AccountRecord] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)  # Portal_Ref__c -> Account id
    cases: dict[str, dict[str, str]] = field(default_factory=dict)
    numbers_come_at_once: bool = True
    _ids: itertools.count = field(default_factory=lambda: itertools.count(500))  # type: ignore[type-arg]

    def account_by_number(self, number: str) -> AccountRecord | None:
        self.called("account_by_number")
        return next((each for each in self.accounts if each.number == number), None)

    def account_by_ref(self, ref: str) -> AccountRecord | None:
        self.called("account_by_ref")
        return next((each for each in self.accounts if each.id == self.refs.get(ref)), None)

    def create_account(self, new: NewAccount) -> AccountRecord:
        self.called("create_account")
        made = self.account_made(new)
        self.answered("create_account")
        return made

    def account_made(self, new: NewAccount) -> AccountRecord:
        """Portal_Ref__c is unique there: the second of a reference is the first (decisions.md 5)."""
        if new.ref in self.refs:
            return next(each for each in self.accounts if each.id == self.refs[new.ref])
        n = next(self._ids)
        made = replace(
            account(str(100000 + n) if self.numbers_come_at_once else "", email=new.email, n=n),
            internet_eligibility="",
            internet_eligibility_status="",
            identity_status="",
        )
        self.accounts.append(made)
        self.refs[new.ref] = made.id
        return made

    def register_account(self, *, account_id: str, whmcs_client: int, source: str) -> None:
        self.called("register_account")
        here = next(each for each in self.accounts if each.id == account_id)
        if here.whmcs_client not in ("", str(whmcs_client)):
            raise Rejected("salesforce", "register_account", "client_mismatch")
        self.accounts[self.accounts.index(here)] = replace(
            here, whmcs_client=str(whmcs_client), portal_status=f"Active {source}"
        )
        self.answered("register_account")

    def create_case(self, *, ref: str, **fields: str) -> str:
        self.called("create_case")
        self.cases.setdefault(ref, fields)
        self.answered("create_case")
        return f"500TEST{list(self.cases).index(ref):08d}AAA"

    def account_changes(self, since: object) -> list[AccountRecord]:
        self.called("account_changes")
        return self.accounts


@dataclass
class Whmcs(Double):
    clients: list[Client] = field(default_factory=list)
    cards: dict[int, list[PayMethod]] = field(default_factory=dict)
    bought: dict[int, list[Service]] = field(default_factory=dict)
    _ids: itertools.count = field(default_factory=lambda: itertools.count(7001))  # type: ignore[type-arg]

    def client_by_email(self, email: str) -> Client | None:
        self.called("client_by_email")
        return next((each for each in self.clients if each.email == email), None)

    def client(self, client_id: int) -> Client | None:
        self.called("client")
        return next((each for each in self.clients if each.id == client_id), None)

    def add_client(self, *, email: str, customer_number: str, **names: str) -> int:
        self.called("add_client")
        made = self.client_made(email, customer_number)
        self.answered("add_client")
        return made

    def client_made(self, email: str, customer_number: str) -> int:
        """Another client, whether or not the address is used: that there is one only is the portal's doing."""
        made = Client(id=next(self._ids), email=email, status="Active", custom_fields={12: customer_number})
        self.clients.append(made)
        return made.id

    def set_customer_number(self, *, client_id: int, customer_number: str) -> None:
        self.called("set_customer_number")
        here = next(each for each in self.clients if each.id == client_id)
        self.clients[self.clients.index(here)] = replace(here, custom_fields={12: customer_number})
        self.answered("set_customer_number")

    def pay_methods(self, client_id: int) -> list[PayMethod]:
        self.called("pay_methods")
        return self.cards.get(client_id, [])

    def sso_url(self, *, client_id: int, destination: str, path: str = "") -> str:
        self.called("sso_url")
        return f"https://billing.invalid/oauth/singlesignon.php?access_token={client_id}-{len(self.calls)}"

    def services(self, client_id: int) -> list[Service]:
        self.called("services")
        return self.bought.get(client_id, [])
