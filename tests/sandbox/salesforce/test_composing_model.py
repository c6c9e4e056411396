"""Calls that hold others against a plain model of what all-or-nothing and each-for-itself leave behind.

Accounts and contacts are told apart by their `Portal_Ref__c`, of which there are few, so that many writes clash.
"""

import itertools
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.salesforce.composing import row, sub
from tests.sandbox.salesforce.conftest import BASE, Api

ABSENT = "0035j0000009999AAA"
EXAMPLES = itertools.count(1)


@dataclass
class Model:
    """What there is: names of accounts, and of each contact its account, by reference."""

    accounts: dict[str, str] = field(default_factory=dict)
    contacts: dict[str, str | None] = field(default_factory=dict)

    def restore(self, earlier: "Model") -> None:
        self.accounts, self.contacts = earlier.accounts, earlier.contacts


class New(NamedTuple):
    """A new account; refused when its reference is taken or its name empty."""

    ref: str
    name: str

    def apply(self, model: Model, _: list[str | None]) -> bool:
        if self.ref in model.accounts or not self.name:
            return False
        model.accounts[self.ref] = self.name
        return True

    def sent(self, prefix: str) -> tuple[str, str, Any]:
        return "POST", "sobjects/Account", {"Portal_Ref__c": prefix + self.ref, "Name": self.name}


class Put(NamedTuple):
    """An account made or renamed by external id; refused when its name is empty."""

    ref: str
    name: str

    def apply(self, model: Model, _: list[str | None]) -> bool:
        if self.name:
            model.accounts[self.ref] = self.name
        return bool(self.name)

    def sent(self, prefix: str) -> tuple[str, str, Any]:
        return "PATCH", f"sobjects/Account/Portal_Ref__c/{prefix}{self.ref}", {"Name": self.name}


class Child(NamedTuple):
    """A contact of the account that an earlier part of the same call wrote."""

    ref: str
    of: int

    def apply(self, model: Model, written: list[str | None]) -> bool:
        account = written[self.of] if self.of < len(written) else None
        if account is None or self.ref in model.contacts:
            return False
        model.contacts[self.ref] = account
        return True

    def sent(self, prefix: str) -> tuple[str, str, Any]:
        fields = {"Portal_Ref__c": prefix + self.ref, "LastName": "x", "AccountId": f"@{{n{self.of}.id}}"}
        return "POST", "sobjects/Contact", fields


class Drop(NamedTuple):
    """A contact deleted by external id; refused when there is none."""

    ref: str

    def apply(self, model: Model, _: list[str | None]) -> bool:
        return model.contacts.pop(self.ref, self) is not self

    def sent(self, prefix: str) -> tuple[str, str, Any]:
        return "DELETE", f"sobjects/Contact/Portal_Ref__c/{prefix}{self.ref}", None


class Several(NamedTuple):
    """Several new accounts as a part of a Composite."""

    news: list[New]
    all_or_none: bool

    def apply(self, model: Model, _: list[str | None]) -> bool:
        return all(each_for_itself(model, self.news, all_or_none=self.all_or_none))

    def sent(self, prefix: str) -> tuple[str, str, Any]:
        rows = [row("Account", **new.sent(prefix)[2]) for new in self.news]
        return "POST", "composite/sobjects", {"allOrNone": self.all_or_none, "records": rows}


Write = New | Put | Child | Drop | Several


def each_for_itself(model: Model, writes: list[Any], *, all_or_none: bool) -> list[bool]:
    """Which writes succeed when all are tried; nothing of it stays when all or none is asked for and one fails."""
    before = deepcopy(model)
    done = [write.apply(model, []) for write in writes]
    if all_or_none and not all(done):
        model.restore(before)
    return done


def in_order(model: Model, writes: list[Write]) -> Iterator[bool]:
    """Whether each write succeeds, one by one; later ones may refer to accounts that earlier ones wrote."""
    written: list[str | None] = []
    for write in writes:
        done = write.apply(model, written)
        written.append(write.ref if done and isinstance(write, New | Put) else None)
        yield done


def until_failure(model: Model, writes: list[Write]) -> bool:
    """Whether all succeed; nothing of it stays otherwise."""
    before = deepcopy(model)
    done = all(in_order(model, writes))
    if not done:
        model.restore(before)
    return done


class Sandbox:
    """The org as one example sees it: under its own prefix."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.prefix = f"x{next(EXAMPLES)}-"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.api(method, path, body)
        assert reply.status in (200, 201, 400), reply.text
        return reply.json()

    def parts(self, writes: list[Write]) -> list[dict[str, Any]]:
        return [sub(f"n{at}", *write.sent(self.prefix)) for at, write in enumerate(writes)]

    def held(self) -> Model:
        like = f"WHERE Portal_Ref__c LIKE '{self.prefix}%'"
        accounts = self.api.query(f"SELECT Portal_Ref__c, Name FROM Account {like}")
        contacts = self.api.query(f"SELECT Portal_Ref__c, Account.Portal_Ref__c FROM Contact {like}")
        cut = len(self.prefix)
        return Model(
            {each["Portal_Ref__c"][cut:]: each["Name"] for each in accounts},
            {each["Portal_Ref__c"][cut:]: each["Account"]["Portal_Ref__c"][cut:] for each in contacts},
        )

    def ids(self, kind: str, refs: list[str]) -> list[str]:
        rows = self.api.query(f"SELECT Id, Portal_Ref__c FROM {kind} WHERE Portal_Ref__c LIKE '{self.prefix}%'")
        known = {each["Portal_Ref__c"].removeprefix(self.prefix): each["Id"] for each in rows}
        return [known.get(ref, ABSENT if kind == "Contact" else ABSENT.replace("003", "001", 1)) for ref in refs]


def composite(org: Sandbox, model: Model, writes: list[Write], all_or_none: bool) -> None:
    answer = org.call("POST", "composite", {"allOrNone": all_or_none, "compositeRequest": org.parts(writes)})
    succeeded = [_succeeded(each["httpStatusCode"], each["body"]) for each in answer["compositeResponse"]]
    if not all_or_none:
        assert succeeded == list(in_order(model, writes))
    else:
        assert all(succeeded) == until_failure(model, writes)


def graphs(org: Sandbox, model: Model, graphs: list[list[Write]]) -> None:
    body = [{"graphId": str(at), "compositeRequest": org.parts(writes)} for at, writes in enumerate(graphs)]
    answer = org.call("POST", "composite/graph", {"graphs": body})
    for each, writes in zip(answer["graphs"], graphs, strict=True):
        permitted = not any(isinstance(write, Several) for write in writes)
        assert each["isSuccessful"] == (permitted and until_failure(model, writes))


def batch(org: Sandbox, model: Model, writes: list[Write], halt: bool) -> None:
    parts = [(part["method"], part["url"].removeprefix(BASE), part["body"]) for part in org.parts(writes)]
    calls = [{"method": method, "url": f"v66.0{url}", "richInput": body} for method, url, body in parts]
    answer = org.call("POST", "composite/batch", {"haltOnError": halt, "batchRequests": calls})
    expected: list[bool] = []
    for write in writes:
        halted = halt and not all(expected)
        expected.append(not halted and not isinstance(write, Several) and write.apply(model, []))
    assert [each["statusCode"] < 400 for each in answer["results"]] == expected
    assert answer["hasErrors"] == (not all(expected))


def upserts(org: Sandbox, model: Model, puts: list[Put], all_or_none: bool) -> None:
    rows = [row("Account", Portal_Ref__c=org.prefix + put.ref, Name=put.name) for put in puts]
    answer = org.call("PATCH", "composite/sobjects/Account/Portal_Ref__c", {"allOrNone": all_or_none, "records": rows})
    refs = [put.ref for put in puts]
    before = deepcopy(model)
    done = [refs.count(put.ref) == 1 and put.apply(model, []) for put in puts]
    _settle(model, before, done, [each["success"] for each in answer], all_or_none)


def renames(org: Sandbox, model: Model, puts: list[Put], all_or_none: bool) -> None:
    ids = org.ids("Account", [put.ref for put in puts])
    rows = [row("Account", Id=each, Name=put.name) for each, put in zip(ids, puts, strict=True)]
    answer = org.call("PATCH", "composite/sobjects", {"allOrNone": all_or_none, "records": rows})
    before = deepcopy(model)
    known = [put.ref in before.accounts and ids.count(each) == 1 for each, put in zip(ids, puts, strict=True)]
    done = [there and put.apply(model, []) for there, put in zip(known, puts, strict=True)]
    _settle(model, before, done, [each["success"] for each in answer], all_or_none)


def drops(org: Sandbox, model: Model, refs: list[str], all_or_none: bool) -> None:
    ids = ",".join(org.ids("Contact", refs))
    answer = org.call("DELETE", f"composite/sobjects?ids={ids}&allOrNone={str(all_or_none).lower()}")
    before = deepcopy(model)
    done = [Drop(ref).apply(model, []) for ref in refs]
    _settle(model, before, done, [each["success"] for each in answer], all_or_none)


def tree(org: Sandbox, model: Model, roots: list[tuple[New, list[str]]]) -> None:
    names = itertools.count()

    def node(kind: str, **fields: Any) -> dict[str, Any]:
        return {"attributes": {"type": kind, "referenceId": f"r{next(names)}"}, **fields}

    def planted(new: New, children: list[str]) -> dict[str, Any]:
        contacts = [node("Contact", Portal_Ref__c=org.prefix + ref, LastName="x") for ref in children]
        return node("Account", **new.sent(org.prefix)[2], **({"Contacts": {"records": contacts}} if contacts else {}))

    answer = org.call("POST", "composite/tree/Account", {"records": [planted(*root) for root in roots]})
    children = [Child(ref, at) for at, (_, refs) in enumerate(roots) for ref in refs]
    assert answer["hasErrors"] != until_failure(model, [*(new for new, _ in roots), *children])


def _succeeded(status: int, body: Any) -> bool:
    rows = isinstance(body, list) and status == 200
    return status < 400 and not (rows and any(not each["success"] for each in body))


def _settle(model: Model, before: Model, done: list[bool], told: list[bool], all_or_none: bool) -> None:
    """Of all or none nothing is told to be saved, and nothing is, when one row is refused."""
    if all_or_none and not all(done):
        assert told == [False] * len(done)
        model.restore(before)
    else:
        assert told == done


REFS = st.sampled_from("abcd")
NAMES = st.sampled_from(["One", "Two", ""]) | st.just("Three")
NEWS = st.builds(New, REFS, NAMES)
PUTS = st.builds(Put, REFS, NAMES)
SEVERAL = st.builds(Several, st.lists(NEWS, min_size=1, max_size=3), st.booleans())
WRITES = st.lists(
    NEWS | PUTS | st.builds(Child, REFS, st.integers(0, 3)) | st.builds(Drop, REFS) | SEVERAL,
    min_size=1,
    max_size=5,
)
CALLS: st.SearchStrategy[tuple[Any, ...]] = st.one_of(
    st.tuples(st.just(composite), WRITES, st.booleans()),
    st.tuples(st.just(composite), st.lists(SEVERAL | NEWS, min_size=2, max_size=3), st.just(True)),
    st.tuples(st.just(graphs), st.lists(WRITES, min_size=1, max_size=3)),
    st.tuples(st.just(batch), WRITES, st.booleans()),
    st.tuples(st.just(upserts), st.lists(PUTS, min_size=1, max_size=4), st.booleans()),
    st.tuples(st.just(renames), st.lists(PUTS, min_size=1, max_size=4), st.booleans()),
    st.tuples(st.just(drops), st.lists(REFS, min_size=1, max_size=4), st.booleans()),
    st.tuples(st.just(tree), st.lists(st.tuples(NEWS, st.lists(REFS, max_size=2)), min_size=1, max_size=3)),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(CALLS, min_size=1, max_size=6))
def test_exactly_what_the_model_says_is_left(api: Api, made: list[tuple[Any, ...]]) -> None:
    org, model = Sandbox(api), Model()
    for call, *arguments in made:
        call(org, model, *arguments)
        assert org.held() == model
