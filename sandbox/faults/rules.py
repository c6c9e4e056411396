"""A rule: which calls a fault is for, and which of them it strikes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sandbox.faults.kinds import KINDS
from sandbox.faults.kinds.base import Fault

When = Literal["once", "times", "always", "probability", "now"]
State = Literal["waiting", "spent", "expired"]
_SHORT_ID, _LONG_ID = 15, 18


@dataclass(frozen=True)
class Offer:
    """A call that a fault may strike. `keys` are the ids it is about, `text` is everything it says, `parts` are the
    operation and the reference id of each request inside of it."""

    system: str
    operation: str
    keys: frozenset[str] = frozenset()
    correlation_id: str = ""
    text: str = ""
    parts: tuple[str, ...] = ()


class Match(BaseModel):
    """What else a call has to be besides its operation; what is empty does not count."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field("", description="Id of a record the call is about")
    correlation_id: str = Field("", description="The caller's correlation id")
    contains: str = Field("", description="Text that the call contains")
    part: str = Field("", description="Operation or reference id of a request inside of a Composite, or a part of it")

    def fits(self, offer: Offer) -> bool:
        """Whether the call is one of those."""
        return (
            (not self.key or any(_same_id(self.key, each) for each in offer.keys))
            and (not self.correlation_id or self.correlation_id == offer.correlation_id)
            and (not self.contains or self.contains in offer.text)
            and (not self.part or any(self.part in each for each in offer.parts))
        )


def _same_id(one: str, other: str) -> bool:
    """Equal, or the long and the short form of one Salesforce id."""
    lengths = {len(one), len(other)}
    return one == other or (lengths == {_SHORT_ID, _LONG_ID} and one[:_SHORT_ID] == other[:_SHORT_ID])


class Spec(BaseModel):
    """What somebody asks for: a rule before it has an id. Parameters are those of the kind.

    `when`: once, `times` times, always, with `probability` (the same decisions for the same `seed` and the same
    sequence of calls), or now. The first `skip` calls pass; `nth` strikes that one alone. `expires_s` is sandbox time.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str
    kind: str
    operation: str = ""
    parameters: Mapping[str, Any] = {}
    match: Match = Match()
    when: When | None = None
    times: int | None = Field(None, ge=1, le=1_000_000)
    probability: float | None = Field(None, gt=0, le=1)
    seed: int = Field(0, ge=0, le=2**53)
    skip: int = Field(0, ge=0, le=1_000_000)
    nth: int | None = Field(None, ge=1, le=1_000_000)
    expires_s: float | None = Field(None, gt=0, le=366 * 86400)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.when == "times") != (self.times is not None):
            raise ValueError("times goes with when: times, and only with it")
        if (self.when == "probability") != (self.probability is not None):
            raise ValueError("probability goes with when: probability, and only with it")
        if self.nth and (self.skip or self.when not in (None, "once")):
            raise ValueError("nth strikes one call: it goes neither with skip nor with another when than once")
        return self


@dataclass
class Rule:
    """A rule that stands: it was offered `offered` calls that it is for, and struck `acted` of them."""

    id: str
    spec: Spec
    fault: Fault
    when: When
    made_at: datetime
    offered: int = 0
    acted: int = 0
    operation: str = field(init=False)
    _skip: int = field(init=False)

    def __post_init__(self) -> None:
        self.operation = self.spec.operation or self.fault.operations[0]
        self._skip = self.spec.nth - 1 if self.spec.nth else self.spec.skip

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Rule":
        """A rule as it was stored."""
        spec = Spec.model_validate(record["spec"])
        fault = KINDS[spec.kind].model_validate(spec.parameters)
        made_at = datetime.fromisoformat(record["made_at"])
        return cls(record["id"], spec, fault, record["when"], made_at, record["offered"], record["acted"])

    def record(self) -> dict[str, Any]:
        """How it is stored."""
        return {
            "id": self.id,
            "spec": self.spec.model_dump(mode="json"),
            "when": self.when,
            "made_at": self.made_at.isoformat(),
            "offered": self.offered,
            "acted": self.acted,
        }

    def state(self, now: datetime) -> State:
        """Whether it can still strike."""
        if self._most is not None and self.acted >= self._most:
            return "spent"
        expires_s = self.spec.expires_s
        if expires_s is not None and now >= self.made_at + timedelta(seconds=expires_s):
            return "expired"
        return "waiting"

    def is_for(self, offer: Offer) -> bool:
        """Whether the call is one of those the rule counts."""
        return (
            fnmatchcase(offer.operation, self.operation)
            and self.fault.reaches(offer.operation)
            and self.spec.match.fits(offer)
        )

    def decide(self) -> bool:
        """Count a call that the rule is for, and say whether this is one to strike."""
        self.offered += 1
        number = self.offered - self._skip
        if number < 1 or not self._is_drawn(number):
            return False
        self.acted += 1
        return True

    def _is_drawn(self, number: int) -> bool:
        if self.spec.probability is None:
            return True
        # A number of its own for each call: a decision hangs on nothing but the seed and the count.
        draw = Random(f"{self.spec.seed}/{self.spec.system}/{self.operation}/{self.spec.kind}/{number}")
        return draw.random() < self.spec.probability

    @property
    def _most(self) -> int | None:
        return {"once": 1, "now": 0, "times": self.spec.times}.get(self.when)
