"""The rules that stand, on disk, and the one question every system asks of them: does this call go wrong?"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from sandbox.clock import Clock
from sandbox.faults.holds import Holds
from sandbox.faults.kinds import KINDS
from sandbox.faults.kinds.base import SYSTEMS, Fault
from sandbox.faults.rules import Offer, Rule, Spec, When
from sandbox.ledger import Ledger
from sandbox.store import Record, Store

F = TypeVar("F", bound=Fault)
_USUAL_WHEN: dict[str, When] = {"call": "once", "now": "now", "standing": "always"}


class RuleRefused(ValueError):
    """A rule that cannot be; the sentence says why."""


@dataclass(frozen=True)
class Strike(Generic[F]):
    """A fault that happens to one call, and the rule it comes from."""

    rule_id: str
    fault: F


class Faults:
    """All rules, in the order they were made. Counters are written with each call they count, so a restart goes on
    where it was; only the calls that are held end with the process."""

    def __init__(self, store: Store, clock: Clock, ledger: Ledger) -> None:
        self._store, self._clock, self._ledger = store, clock, ledger
        self._table = store.table("fault rule")
        self._rules: dict[str, Rule] = {}
        # What the systems look into at each call: only rules that can still strike, and no entry without any.
        self._live: dict[str, list[Rule]] = {}
        self._watchers: list[Callable[[], None]] = []
        self.holds = Holds()
        self.reload()

    def reload(self) -> None:
        """Take the rules from the disk, as at start or after the state was replaced; those that held calls and are not
        there any more let them go."""
        self._rules = {rule.id: rule for record in self._table.all() for rule in self._read(record)}
        self._live = {}
        for rule in self._rules.values():
            if rule.state(self._clock.now()) == "waiting":
                self._live.setdefault(rule.spec.system, []).append(rule)
        for rule_id in self.holds.rules() - self._rules.keys():
            self.holds.release(rule_id)
        self.tell()

    def watch(self, follow: Callable[[], None]) -> None:
        """Have `follow` called whenever rules were made, removed or replaced."""
        self._watchers.append(follow)

    def tell(self) -> None:
        """Call those who watch, as when there is something new that has to follow the rules."""
        for follow in self._watchers:
            follow()

    def concern(self, system: str) -> bool:
        """Whether any rule may strike a call of this system; all that a call costs when there is none."""
        return system in self._live

    def take(self, offer: Offer, *kinds: type[F]) -> Strike[F] | None:
        """The fault of one of these kinds that strikes the call; it is counted and written to the ledger.

        Rules are asked in the order they were made, until one strikes; those after it do not count the call.
        """
        return next(self._strikes(offer, kinds), None)

    def take_each(self, offer: Offer, *kinds: type[F]) -> list[Strike[F]]:
        """Every fault of these kinds that strikes the call, in the order their rules were made."""
        return list(self._strikes(offer, kinds))

    def standing(self, system: str, kind: type[Fault]) -> Rule | None:
        """The rule of a kind that is there as long as it is there; asking counts nothing."""
        return next((rule for rule in self._waiting(system) if isinstance(rule.fault, kind)), None)

    def strike(self, rule: Rule) -> None:
        """Note that a rule struck although no call was offered to it."""
        rule.acted += 1
        self._keep(rule)
        self._note(rule, rule.operation, "")

    def create(self, spec: Spec) -> Rule:
        """Make a rule. Raises RuleRefused, changing nothing."""
        fault = fault_of(spec)
        when = spec.when or _usual_when(spec, fault)
        _refuse_odd(spec, fault, when)
        rule = Rule(f"f{self._store.next_number('fault rule')}", spec, fault, when, self._clock.now())
        self._rules[rule.id] = rule
        self._live.setdefault(spec.system, []).append(rule)
        self._table.put(rule.id, rule.record())
        self._ledger.write("faults", "rule.make", key=rule.id, detail=_said(rule))
        self.tell()
        return rule

    def all(self) -> list[Rule]:
        """Every rule that was not removed, oldest first, used up or not."""
        return list(self._rules.values())

    def get(self, rule_id: str) -> Rule | None:
        """One rule."""
        return self._rules.get(rule_id)

    def remove(self, rules: Iterable[Rule]) -> int:
        """Forget these rules and let go on what they held; how many rules they were."""
        removed = list(rules)
        for rule in removed:
            del self._rules[rule.id]
            self._retire(rule)
            self._table.delete(rule.id)
            self.holds.release(rule.id)
            self._ledger.write("faults", "rule.remove", key=rule.id, detail={**_said(rule), "acted": rule.acted})
        self.tell()
        return len(removed)

    def _read(self, record: Record) -> Iterator[Rule]:
        """The stored rule; none, and a line in the ledger, when it is of another version or was written by hand."""
        try:
            yield Rule.from_record(record)
        except (KeyError, TypeError, ValueError) as error:
            self._ledger.write("faults", "rule.unreadable", key=str(record.get("id", "")), detail={"error": str(error)})

    def _strikes(self, offer: Offer, kinds: tuple[type[F], ...]) -> Iterator[Strike[F]]:
        for rule in self._waiting(offer.system):
            fault = rule.fault
            if isinstance(fault, kinds) and rule.is_for(offer):
                struck = rule.decide()
                self._keep(rule)
                if struck:
                    self._note(rule, offer.operation, offer.correlation_id)
                    yield Strike(rule.id, fault)

    def _waiting(self, system: str) -> list[Rule]:
        now = self._clock.now()
        rules = self._live.get(system, [])
        for rule in [each for each in rules if each.state(now) != "waiting"]:
            self._retire(rule)
        return list(self._live.get(system, ()))

    def _keep(self, rule: Rule) -> None:
        self._table.put(rule.id, rule.record())
        if rule.state(self._clock.now()) != "waiting":
            self._retire(rule)

    def _retire(self, rule: Rule) -> None:
        rules = [each for each in self._live.get(rule.spec.system, ()) if each is not rule]
        if rules:
            self._live[rule.spec.system] = rules
        else:
            self._live.pop(rule.spec.system, None)

    def _note(self, rule: Rule, operation: str, correlation_id: str) -> None:
        facts = {"rule": rule.id, "system": rule.spec.system, "operation": operation}
        detail = {**facts, **rule.fault.model_dump(mode="json")}
        self._ledger.write("faults", rule.spec.kind, key=rule.id, correlation_id=correlation_id, detail=detail)


def fault_of(spec: Spec) -> Fault:
    """The kind with its parameters. Raises RuleRefused."""
    kind = KINDS.get(spec.kind)
    if kind is None:
        raise RuleRefused(f"There is no kind {spec.kind}; the kinds are {', '.join(KINDS)}.")
    if spec.system not in SYSTEMS:
        raise RuleRefused(f"There is no system {spec.system}; the systems are {', '.join(SYSTEMS)}.")
    if spec.system not in kind.systems:
        raise RuleRefused(f"{spec.kind} does not exist in {spec.system}, only in {', '.join(kind.systems)}.")
    try:
        return kind.model_validate(spec.parameters)
    except ValidationError as error:
        raise RuleRefused(sentences(error)) from error


def _usual_when(spec: Spec, fault: Fault) -> When:
    """When a rule strikes that does not say it: once, if it speaks of calls."""
    speaks_of_calls = spec.skip or spec.nth or spec.match.model_fields_set
    return "once" if "call" in fault.strikes and speaks_of_calls else _USUAL_WHEN[fault.strikes[0]]


def _refuse_odd(spec: Spec, fault: Fault, when: When) -> None:
    possible = {"call": {"once", "times", "always", "probability"}, "now": {"now"}, "standing": {"always"}}
    allowed = set().union(*(possible[each] for each in fault.strikes))
    if when not in allowed:
        raise RuleRefused(f"{spec.kind} cannot strike with when: {when}, only with {', '.join(sorted(allowed))}.")
    waits_for_calls = "call" in fault.strikes and when != "now"
    if not waits_for_calls and (spec.skip or spec.nth or spec.expires_s or spec.match.model_fields_set):
        raise RuleRefused(f"{spec.kind} waits for no call here: skip, nth, match and expires_s have no meaning.")


def sentences(error: ValidationError) -> str:
    """What is wrong with each field, without the values that were sent."""
    parts = [(".".join(map(str, each["loc"])), each["msg"]) for each in error.errors()]
    return "; ".join(f"{field}: {message}" if field else message for field, message in parts)


def _said(rule: Rule) -> dict[str, object]:
    named = {"system": rule.spec.system, "kind": rule.spec.kind, "operation": rule.operation, "when": rule.when}
    return {**named, **rule.fault.model_dump(mode="json")}
