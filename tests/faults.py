"""The outside world misbehaving in tests: what is to go wrong, said in one line, and gone after the test.

    def test_…(faults: Faults) -> None:
        lost = faults.lose_answer("whmcs", "AddOrder")
        …
        assert lost.acted == 1

    with faults.hold("whmcs", "AcceptOrder", at="before") as held:
        …                           # in another thread or process: the call
        held.arrived()
        …                           # the world while it stands still
        held.release()

Every method takes, besides what is its own, which calls it is for: `key` (a record's id), `correlation_id`, `contains`
(a text in the request), `part` (operation or reference id of a part of a Composite), and how often: `nth`, `times`,
`always=True`, `probability` with `seed`, after `skip` others, until `expires_s`; without any of these, once. What needs
no call happens with `now=True`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Unpack

import pytest

from tests.sandbox_process import Buttons, Sandbox
from tests.waiting import until

At = Literal["before", "after"]
_MATCH = ("key", "correlation_id", "contains", "part")


class Which(TypedDict, total=False):
    """Which calls, and how many of them; see the module."""

    key: str
    correlation_id: str
    contains: str
    part: str
    nth: int
    times: int
    always: bool
    probability: float
    seed: int
    now: bool
    skip: int
    expires_s: float


@dataclass(frozen=True)
class Rule:
    """A rule that stands in the sandbox."""

    sandbox: Buttons
    id: str

    def facts(self) -> dict[str, Any]:
        """What the sandbox knows of it now."""
        found: dict[str, Any] = self.sandbox.get(f"/control/faults/{self.id}")
        return found

    @property
    def acted(self) -> int:
        """How many calls it struck."""
        return int(self.facts()["acted"])

    @property
    def offered(self) -> int:
        """How many calls it was for, struck or not."""
        return int(self.facts()["offered"])

    def struck(self, times: int = 1) -> None:
        """Waits until it struck so often."""
        until(lambda: self.acted >= times, what=f"the fault {self.id} to strike {times} times")

    def remove(self) -> None:
        """The system behaves again; what it held goes on."""
        self.sandbox.delete(f"/control/faults/{self.id}")


class Held(Rule):
    """A rule that makes calls stand still."""

    def arrived(self, count: int = 1) -> None:
        """Waits until so many calls stand still."""
        until(lambda: len(self.facts()["holding"]) >= count, what=f"{count} calls to stand still")

    def release(self, count: int | None = None) -> None:
        """Lets the longest held calls go on, all of them without a number."""
        self.sandbox.control(f"/control/faults/{self.id}/release", {} if count is None else {"count": count})


class Faults:
    """What goes wrong in one sandbox, of which the address of its desk is enough: `Faults(Buttons(people_url))`."""

    def __init__(self, sandbox: Buttons) -> None:
        self.sandbox = sandbox

    def add(
        self,
        system: str,
        kind: str,
        operation: str = "",
        parameters: dict[str, Any] | None = None,
        **which: Unpack[Which],
    ) -> Rule:
        """Any rule; the other methods are the ones with names."""
        body = {"system": system, "kind": kind, "operation": operation, "parameters": parameters or {}}
        return Rule(self.sandbox, self.sandbox.control("/control/faults", {**body, **_selected(which)})["id"])

    def clear(self) -> None:
        """Removes every rule."""
        self.sandbox.delete("/control/faults")

    def preset(self, name: str) -> list[Rule]:
        """The rules of a named set."""
        made = self.sandbox.control(f"/control/faults/presets/{name}")["rules"]
        return [Rule(self.sandbox, each["id"]) for each in made]

    # Connections

    def lose_answer(self, system: str, operation: str = "*", *, reset: bool = False, **which: Unpack[Which]) -> Rule:
        """The call is carried out; the connection ends without an answer."""
        return self._drop(system, operation, "after", reset, which)

    def lose_request(self, system: str, operation: str = "*", *, reset: bool = False, **which: Unpack[Which]) -> Rule:
        """The request arrives and nothing is done; the connection ends without an answer."""
        return self._drop(system, operation, "before", reset, which)

    def refuse(self, system: str, *, reset: bool = True, **which: Unpack[Which]) -> Rule:
        """New connections are broken before anything is said on them."""
        return self.add(system, "refuse", parameters={"how": "reset" if reset else "close"}, **which)

    def close_port(self, system: str) -> Rule:
        """Nobody listens until the rule is removed."""
        return self.add(system, "port_closed")

    # Time

    def slow(self, system: str, operation: str = "*", *, ms: int, at: At = "before", **which: Unpack[Which]) -> Rule:
        """The call takes so much longer."""
        return self.add(system, "latency", operation, {"ms": ms, "at": at}, **which)

    @contextmanager
    def hold(self, system: str, operation: str = "*", *, at: At = "before", **which: Unpack[Which]) -> Iterator[Held]:
        """Calls stand still until they are released, at the latest when the block ends."""
        rule = self.add(system, "hold", operation, {"at": at}, **which)
        held = Held(rule.sandbox, rule.id)
        try:
            yield held
        finally:
            held.remove()

    # Answers

    def html(
        self, system: str, operation: str = "*", *, status: int = 503, at: At = "before", **which: Unpack[Which]
    ) -> Rule:
        """A page instead of JSON."""
        return self.add(system, "html", operation, {"status": status, "at": at}, **which)

    def http_error(
        self,
        system: str,
        operation: str = "*",
        *,
        status: int = 500,
        at: At = "before",
        body: str = "",
        **which: Unpack[Which],
    ) -> Rule:
        """An HTTP error with or without a text."""
        return self.add(system, "http_error", operation, {"status": status, "at": at, "body": body}, **which)

    def answer(self, system: str, kind: str, operation: str = "*", **which: Unpack[Which]) -> Rule:
        """One of the answers that need no more said: empty, huge, truncate, drip, php_notice, content_type."""
        return self.add(system, kind, operation, **which)

    def redirect(self, system: str, operation: str = "*", *, to: str, **which: Unpack[Which]) -> Rule:
        """A redirect to somewhere else."""
        return self.add(system, "redirect", operation, {"location": to}, **which)

    # Inside of the systems

    def expire_session(self, operation: str = "*", *, scope: str = "all", **which: Unpack[Which]) -> Rule:
        """Salesforce ends the session at this call: for the call, for its token, or for all tokens."""
        return self.add("salesforce", "session_expired", operation, {"scope": scope}, **which)

    def salesforce_limit(self, operation: str = "*", **which: Unpack[Which]) -> Rule:
        """REQUEST_LIMIT_EXCEEDED."""
        return self.add("salesforce", "request_limit_exceeded", operation, **which)

    def salesforce_error(
        self, operation: str, code: str, message: str = "", *, at: At = "before", **which: Unpack[Which]
    ) -> Rule:
        """Any of Salesforce's errors."""
        return self.add(
            "salesforce", "salesforce_error", operation, {"code": code, "message": message, "at": at}, **which
        )

    def lock_row(self, record: str = "*", verb: str = "update", **which: Unpack[Which]) -> Rule:
        """UNABLE_TO_LOCK_ROW for records of a type, in whatever call they are written."""
        return self.add("salesforce", "row_lock", f"record.{verb} {record}", **which)

    def part_fails(self, named: str, code: str = "UNABLE_TO_LOCK_ROW", **which: Unpack[Which]) -> Rule:
        """A part of a Composite fails, by its operation or reference id."""
        which["part"] = named
        return self.add("salesforce", "sub_request_fails", "composite", {"code": code}, **which)

    def no_token(
        self, error: str = "invalid_grant", description: str = "inactive user", **which: Unpack[Which]
    ) -> Rule:
        """Salesforce gives out no token."""
        return self.add(
            "salesforce", "token_error", "token", {"error": error, "error_description": description}, **which
        )

    def action_fails(
        self, action: str, message: str, *, at: At = "before", status: int = 200, **which: Unpack[Which]
    ) -> Rule:
        """WHMCS answers result=error."""
        return self.add("whmcs", "action_error", action, {"message": message, "at": at, "status": status}, **which)

    def module_fails(
        self, text: str = "No port", *, command: str = "create", at: At = "before", **which: Unpack[Which]
    ) -> Rule:
        """WHMCS' provisioning module reports an error; `key` is like "pid=101", "serviceid=7" or "orderid=5"."""
        return self.add("whmcs", "module_failure", f"module.{command}", {"text": text, "at": at}, **which)

    def rpc_refused(
        self, operation: str, code: str, *, status: str = "", at: At = "before", **which: Unpack[Which]
    ) -> Rule:
        """The Pub/Sub API refuses: by an error code, or without one by a bare gRPC status."""
        return self.add("pubsub", "refused", operation, {"code": code, "status": status, "at": at}, **which)

    def cut_streams(self, status: str = "UNAVAILABLE") -> Rule:
        """Every live stream ends now: with OK, a gRPC status, or RST for a TCP reset."""
        return self.add("pubsub", "stream_cut", parameters={"status": status}, now=True)

    def silence(self) -> Rule:
        """Streams are sent nothing until the rule is removed."""
        return self.add("pubsub", "stream_silent")

    def smtp_refuses(self, code: int = 451, operation: str = "message.accept", **which: Unpack[Which]) -> Rule:
        """The mail server refuses."""
        return self.add("mail", "smtp_reply", operation, {"code": code}, **which)

    def _drop(self, system: str, operation: str, at: At, reset: bool, which: Which) -> Rule:
        how = "reset" if reset else "close"
        return self.add(system, "drop", operation, {"at": at, "how": how}, **which)


def _selected(which: Which) -> dict[str, Any]:
    """The part of a rule that says which calls and how often."""
    given: dict[str, Any] = dict(which)
    match = {name: given.pop(name) for name in _MATCH if name in given}
    selected = {"match": match, **given}
    if selected.pop("always", False):
        selected["when"] = "always"
    elif selected.pop("now", False):
        selected["when"] = "now"
    elif "probability" in selected or "times" in selected:
        selected["when"] = "probability" if "probability" in selected else "times"
    return {name: value for name, value in selected.items() if value != {}}


@pytest.fixture
def bus_faults(bus: Sandbox) -> Iterator[Faults]:
    """The same for the sandbox of the event path."""
    misbehaving = Faults(bus)
    yield misbehaving
    misbehaving.clear()


@pytest.fixture
def faults(sandbox: Sandbox) -> Iterator[Faults]:
    """The sandbox of this test, to be made to misbehave; on its best behaviour again afterwards."""
    misbehaving = Faults(sandbox)
    yield misbehaving
    misbehaving.clear()
