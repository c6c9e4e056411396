"""Faults that wait for no call: they happen when their rule is made."""

from sandbox.faults.book import RuleRefused
from sandbox.faults.kinds.salesforce import SessionExpired
from sandbox.faults.rules import Rule, Spec
from sandbox.world import World


def check_act(_: World, spec: Spec) -> None:
    """Raises RuleRefused when what the rule wants done now cannot be done."""
    if spec.kind == SessionExpired.kind and spec.when == "now" and spec.parameters.get("scope", "all") != "all":
        raise RuleRefused("Now there is no call whose session could end: scope must be all.")


def act_now(world: World, rule: Rule) -> None:
    """Do it."""
    if isinstance(rule.fault, SessionExpired):
        world.org.sessions.end_all()
    world.faults.strike(rule, operation=rule.operation)
