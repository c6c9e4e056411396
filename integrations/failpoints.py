"""Places at which a test run lets this process die, stand still or fail (reliability.md §4).

Every remote call and every commit that matters passes one before and one after: `whmcs.AddOrder:before`,
`whmcs.AddOrder:after`. Nothing happens at them unless `switch_on` was called, which the composition root does for
tests alone; what that was given, from the environment variable FAILPOINTS, or `arm` then says where and what.
"""

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

PLAN = re.compile(r"(?P<name>[\w./ -]+:(?:before|after))=(?P<action>[a-z]+)(?:@(?P<nth>[1-9]\d*))?")


class Died(BaseException):
    """What `raise` raises: no handler of ours catches it, so that everything is left as it was at this point."""


@dataclass
class Plan:
    """At the `nth` passing of the point `name`, once: `kill` (SIGKILL), `stop` (SIGSTOP), `raise` (Died), or `call`."""

    name: str
    act: Callable[[], None]
    nth: int = 1
    passed: int = 0


_plans: dict[str, Plan] = {}
_traces: list[list[str]] = []
_is_on = False


def switch_on(plans: str = "") -> None:
    """Lets points act from now on, as `plans` (see `parse`) and `arm` say. Raises ValueError for unreadable plans."""
    global _is_on
    _is_on = True
    for plan in parse(plans):
        _plans[plan.name] = plan


def parse(text: str, call: Callable[[], None] | None = None) -> list[Plan]:
    """Reads `NAME:before=kill;NAME:after=raise@2`: at the second passing, if a number stands there.

    The action `call` needs the argument. Raises ValueError.
    """
    actions = {**ACTIONS, "call": call} if call else ACTIONS
    plans = []
    for part in filter(None, (each.strip() for each in text.split(";"))):
        match = PLAN.fullmatch(part)
        if match is None:
            raise ValueError(f"a failpoint cannot be read at {part!r}")
        if match["action"] not in actions:
            raise ValueError(f"a failpoint does not know {match['action']!r}")
        plans.append(Plan(match["name"], actions[match["action"]], int(match["nth"] or 1)))
    return plans


@contextmanager
def arm(text: str, call: Callable[[], None] | None = None) -> Iterator[list[Plan]]:
    """Sets the plans of `text` (see `parse`) for the length of the block; they count how often each was passed.

    `call` is what the action `call` does, in the thread that reached the point.
    """
    plans, before = parse(text, call), dict(_plans)
    _plans.update({plan.name: plan for plan in plans})
    try:
        yield plans
    finally:
        _plans.clear()
        _plans.update(before)


def reach(name: str) -> None:
    """The process is at the point `name`; acts if a plan says so."""
    if not _is_on:
        return
    for names in _traces:
        names.append(name)
    if name not in _plans:
        return
    plan = _plans[name]
    plan.passed += 1
    if plan.passed == plan.nth:
        plan.act()


@contextmanager
def traced() -> Iterator[list[str]]:
    """Collects the names of the points that are passed in the block, in order: so that a test can visit each."""
    names: list[str] = []
    _traces.append(names)
    try:
        yield names
    finally:
        _traces.remove(names)


@contextmanager
def around(name: str) -> Iterator[None]:
    """The points before and after the block; the second is not reached when the block raises."""
    reach(f"{name}:before")
    yield
    reach(f"{name}:after")


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _raise() -> None:
    raise Died


ACTIONS: dict[str, Callable[[], None]] = {"kill": _kill, "stop": _stop, "raise": _raise}
