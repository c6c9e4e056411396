"""Making rules by name, with what has to happen at once."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from pydantic import ValidationError

from sandbox.faults.acts import act_now, check_act
from sandbox.faults.book import RuleRefused, fault_of, sentences
from sandbox.faults.kinds.base import Fault
from sandbox.faults.kinds.http import Refuse
from sandbox.faults.operations import Names, operations
from sandbox.faults.rules import Rule, Spec
from sandbox.world import World


def parse(body: object) -> Spec:
    """A rule as somebody wrote it down. Raises RuleRefused."""
    try:
        return Spec.model_validate(body)
    except ValidationError as error:
        raise RuleRefused(sentences(error)) from error


def place(world: World, spec: Spec) -> Rule:
    """Make a rule, and do now what it wants done now. Raises RuleRefused; nothing is changed then.

    Await `world.ports.follow()` afterwards: until then a port listens that the rule closes.
    """
    fault = fault_of(spec)
    _refuse_unknown_operation(world, spec, type(fault))
    check_act(world, fault, spec)
    rule = world.faults.create(spec)
    if rule.when == "now":
        act_now(world, rule)
    elif isinstance(rule.fault, Refuse):
        world.ports.hang_up_idle(spec.system)
    return rule


def place_all(world: World, specs: Sequence[Spec]) -> list[Rule]:
    """Make several rules, as `place` does."""
    return [place(world, spec) for spec in specs]


def reachable(names: Names, kind: type[Fault]) -> list[str]:
    """The operations of a system that a kind can strike: those inside of a call only where the kind names them."""
    inner = names.inner if "*" not in kind.operations else ()
    return [each for each in (*names.requests, *inner) if kind.reaches(each)]


def _refuse_unknown_operation(world: World, spec: Spec, kind: type[Fault]) -> None:
    possible = reachable(operations(world)[spec.system], kind)
    if spec.operation and not any(fnmatchcase(each, spec.operation) for each in possible):
        some = ", ".join(possible[:12]) + (", …" if len(possible) > 12 else "")
        sentence = f"{spec.operation} is no operation of {spec.system} that {spec.kind} can strike; there are {some}."
        raise RuleRefused(sentence)
