"""What one seed does: whose orders, under which circumstances, what dies where, and what goes wrong outside."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

from tests.campaign.circumstances import CIRCUMSTANCES
from tests.campaign.points import POINTS

ACTIONS = ("kill", "stop", "raise")
GOODS = ("internet", "vpn")


@dataclass(frozen=True)
class Blow:
    """The `nth` time a process of this kind reaches the point it is killed, stands still, or fails."""

    kind: str
    point: str
    action: str
    nth: int = 1

    @property
    def plan(self) -> str:
        return f"{self.point}={self.action}@{self.nth}"


@dataclass(frozen=True)
class Fault:
    """A rule in the sandbox (docs/faults.md)."""

    system: str
    kind: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    nth: int = 1


@dataclass(frozen=True)
class Seed:
    """The same number is the same seed, as long as the list of points is the same."""

    number: int
    circumstance: str = "plain"
    blows: tuple[Blow, ...] = ()
    faults: tuple[Fault, ...] = ()
    goods: tuple[str, ...] = ("internet",)
    second_worker: bool = False
    impatient: bool = False  # the operator asks again as soon as Salesforce says Failed
    portal_order: bool = False
    flush_at: str = ""  # Redis loses everything: when the order is approved, claimed or ended
    stands_still_s: float = 5.0  # longer than a lease, and than a read's deadline with its margin

    def __str__(self) -> str:
        blows = [f"{each.action} {each.kind} at {each.point}#{each.nth}" for each in self.blows]
        faults = [f"{each.kind} of {each.system}.{each.operation}#{each.nth}" for each in self.faults]
        more = [name for name in ("second_worker", "impatient", "portal_order") if getattr(self, name)]
        more += [f"flush at {self.flush_at}"] * bool(self.flush_at)
        return f"{self.circumstance} {'+'.join(self.goods)}: " + "; ".join(blows + faults + more or ["nothing"])

    def facts(self) -> dict[str, Any]:
        return asdict(self)


# The three ways in which one answer is lost (reliability.md §4), on the calls they hurt.
MODES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "request lost": ("drop", {"at": "before", "how": "close"}),
    "answer lost": ("drop", {"at": "after", "how": "reset"}),
    "html": ("html", {"at": "after", "status": 503}),
}
ESIM = ("esim", "activate")
CALLS = (("whmcs", "AddOrder"), ("whmcs", "AcceptOrder"), ("salesforce", "composite"), ("whmcs", "GetClientsProducts"))
LATE = (*CALLS, ("salesforce", "query"), ("whmcs", "GetPayMethods"), ("whmcs", "GetOrders"))
OTHERS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("html", {"at": "before", "status": 503}),
    ("http_error", {"at": "before", "status": 503}),
    ("http_error", {"at": "after", "status": 500}),
    ("drip", {"bytes_per_s": 20}),
    ("truncate", {"keep": 0.5}),
    ("empty", {"at": "after"}),
    ("latency", {"ms": 4500, "at": "before"}),  # longer than the deadline: it lands late
    ("latency", {"ms": 4500, "at": "after"}),
)
BUS: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("event_duplicated", "event", {"copies": 2, "new_id": True}),
    ("event_duplicated", "event", {"copies": 2, "new_id": False}),
    ("event_repeated", "deliver", {}),
    ("events_reordered", "deliver", {}),
    ("stream_cut", "deliver", {"at": "before"}),
    ("stream_cut", "deliver", {"at": "after"}),
)


@cache
def systematic() -> list[Seed]:
    """Every point of every kind of process × every action × every way to lose an answer, in an order that spreads."""
    seeds = []
    for at, (kind, point, circumstance) in enumerate(targets()):
        for action in ACTIONS:
            for mode, (fault, parameters) in enumerate(MODES.values()):
                system, operation = _near(point, at + mode, CIRCUMSTANCES[circumstance].goods)
                seeds.append((circumstance, Blow(kind, point, action), Fault(system, fault, operation, parameters)))
    random.Random(4).shuffle(seeds)
    return [
        Seed(number, circumstance, (blow,), (fault,), second_worker=bool(number % 2), impatient=not number % 3,
             portal_order=not number % 4)
        for number, (circumstance, blow, fault) in enumerate(seeds)
    ]  # fmt: skip


def targets() -> list[tuple[str, str, str]]:
    """Every (kind of process, point) that was seen, once, under the first circumstance that shows it."""
    found: dict[tuple[str, str], str] = {}
    for circumstance, kinds in POINTS.items():
        for kind, points in kinds.items():
            for point in points:
                found.setdefault((kind, point), circumstance)
    return [(kind, point, circumstance) for (kind, point), circumstance in found.items()]


def seed(number: int) -> Seed:
    """The seed of this number: first the systematic ones, then what chance draws; below 0 the calm ones."""
    if number < 0:
        return [*calm(), *CHOSEN.values()][-1 - number]
    first = systematic()
    return first[number] if number < len(first) else drawn(number)


def calm() -> list[Seed]:
    """Every circumstance once, and nothing else."""
    return [Seed(-1 - at, name, portal_order=True) for at, name in enumerate(CIRCUMSTANCES)]


def drawn(number: int) -> Seed:
    """One to three things go wrong."""
    dice = random.Random(number)
    circumstance = dice.choice([name for name in CIRCUMSTANCES if name in POINTS])
    trouble = dice.choice([1, 2, 2, 3, 3])
    blows = tuple(_a_blow(dice, circumstance) for _ in range(dice.randint(trouble > 1, min(trouble, 2))))
    goods = CIRCUMSTANCES[circumstance].goods
    faults = tuple(_a_fault(dice, goods) for _ in range(trouble - len(blows)))
    return Seed(
        number,
        circumstance,
        blows,
        faults,
        goods=tuple(dice.choices(GOODS, k=dice.choice([1, 1, 2]))),
        second_worker=dice.random() < 0.3,
        impatient=dice.random() < 0.4,
        portal_order=dice.random() < 0.4,
        flush_at=dice.choice(["", "", "", "", "approved", "claimed"]),
    )


def _a_blow(dice: random.Random, circumstance: str) -> Blow:
    kind = dice.choice(sorted(kind for kind, points in POINTS[circumstance].items() if points))
    point = dice.choice(sorted(POINTS[circumstance][kind]))
    most = POINTS[circumstance][kind][point]
    return Blow(kind, point, dice.choice(ACTIONS), dice.randint(1, min(most, 4)))


def _a_fault(dice: random.Random, goods: str) -> Fault:
    if dice.random() < 0.2:
        kind, operation, parameters = dice.choice(BUS)
        return Fault("pubsub", kind, operation, parameters)
    system, operation = dice.choice([*LATE, *[ESIM, ESIM] * (goods == "esim")])
    kind, parameters = dice.choice([*MODES.values(), *OTHERS])
    return Fault(system, kind, operation, parameters, nth=dice.choice([1, 1, 2]))


def _near(point: str, at: int, goods: str) -> tuple[str, str]:
    """The call of the point itself, if it is one that an outside API has; else one after the other."""
    system, _, operation = point.partition(":")[0].partition(".")
    calls = (ESIM, *CALLS) if goods == "esim" else CALLS
    return (system, operation) if (system, operation) in (*LATE, ESIM) else calls[at % len(calls)]


def spread(count: int) -> Sequence[Seed]:
    """So many seeds from all over: half of them systematic, half of them drawn."""
    first = systematic()
    step = max(1, len(first) // (count // 2))
    return [*first[::step][: count // 2], *(drawn(len(first) + at) for at in range(count - count // 2))]


def _chosen(at: int, circumstance: str = "plain", *blows: Blow, **more: Any) -> Seed:
    return Seed(-1 - len(CIRCUMSTANCES) - at, circumstance, blows, **more)


# For each safeguard a seed that is green with it and red without it (tests/campaign/proof.py).
CHOSEN: Mapping[str, Seed] = {
    "single flight": _chosen(0, "unknown", impatient=True),
    "look-up": _chosen(1, "worker dies"),
    "fence": _chosen(
        2,
        "plain",
        Blow("worker", "salesforce.order_for_provisioning:after", "stop"),
        second_worker=True,
        impatient=True,
        portal_order=True,
        stands_still_s=12,
    ),
    "cursor": _chosen(3, "plain", Blow("subscriber", "intake.store:before", "kill")),
}
