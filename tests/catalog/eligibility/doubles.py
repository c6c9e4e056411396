"""Salesforce at the gateway, in memory, as far as address checks go: references are unique as they are in the org.

Each call passes the points that the one on the wire passes (test_wire.py compares them).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection

from integrations import failpoints
from integrations.errors import OutsideError, Rejected, UnknownOutcome
from integrations.salesforce.schemas import AskedCheck, CheckStanding, NewCheck


@dataclass
class Salesforce:
    """Cases by their reference; Opportunities newest last, all of them open."""

    cases: dict[str, NewCheck] = field(default_factory=dict)
    opportunities: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    fails: dict[str, OutsideError] = field(default_factory=dict)
    loses_answer: bool = False
    meanwhile: Callable[[], None] = lambda: None  # runs while a Composite is under way, before it is carried out

    def check_standing(self, *, account_id: str, ref: str) -> CheckStanding:
        with self._called("check_standing"):
            case = f"500TEST{list(self.cases).index(ref):08d}AAA" if ref in self.cases else ""
            others = tuple(f"{n:08d}" for n, other in enumerate(self.cases) if other != ref)
            return CheckStanding(case, self.opportunities[-1] if self.opportunities else "", others)

    def ask_for_check(self, new: NewCheck) -> AskedCheck:
        with self._called("ask_for_check"):
            self.meanwhile()
            if new.ref in self.cases:
                raise Rejected("salesforce", "ask_for_check", "duplicate_value")
            return self._made(new)

    def _made(self, new: NewCheck) -> AskedCheck:
        self.cases[new.ref] = new
        opportunity = new.opportunity_id or f"006TEST{len(self.opportunities):08d}AAA"
        if not new.opportunity_id:
            self.opportunities.append(opportunity)
        if self.loses_answer:
            self.loses_answer = False
            raise UnknownOutcome("salesforce", "ask_for_check", "timeout")
        return AskedCheck(f"500TEST{len(self.cases) - 1:08d}AAA", opportunity)

    @contextmanager
    def _called(self, name: str) -> Iterator[None]:
        assert not connection.in_atomic_block, "remote call inside a transaction"
        self.calls.append(name)
        with failpoints.around(f"salesforce.{name}"):
            if name in self.fails:
                raise self.fails[name]
            yield
