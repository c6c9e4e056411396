"""Faults that wait for no call: they happen when their rule is made."""

from typing import assert_never

import grpc

from sandbox.faults.book import RuleRefused
from sandbox.faults.kinds import pubsub
from sandbox.faults.kinds.base import Fault
from sandbox.faults.kinds.salesforce import SessionExpired
from sandbox.faults.rules import Rule, Spec
from sandbox.salesforce.events import UnknownTopic
from sandbox.world import World

_Act = SessionExpired | pubsub.StreamCut | pubsub.NewSchema | pubsub.Renumbered


def check_act(world: World, fault: Fault, spec: Spec) -> None:
    """Raises RuleRefused when what the rule wants done now cannot be done."""
    if isinstance(fault, SessionExpired) and spec.when == "now" and fault.scope != "all":
        raise RuleRefused("Now there is no call whose session could end: scope must be all.")
    if isinstance(fault, pubsub.NewSchema):
        try:
            world.schemas.current(fault.topic).with_fields(fault.add)
        except (UnknownTopic, ValueError) as error:
            raise RuleRefused(f"{fault.topic}: {error}") from error


def act_now(world: World, rule: Rule) -> None:
    """Do it, and count what it struck: every stream that was cut, once what has no number."""
    fault = rule.fault
    assert isinstance(fault, _Act)
    for _ in range(_struck(world, fault)):
        world.faults.strike(rule)


def _struck(world: World, fault: _Act) -> int:
    match fault:
        case SessionExpired():
            world.org.sessions.end_all()
            return 1
        case pubsub.StreamCut():
            return _cut(world, fault.status)
        case pubsub.NewSchema():
            world.schemas.evolve(fault.topic, fault.add)
            return 1
        case pubsub.Renumbered():
            world.bus.renumber(fault.start)
            world.switchboard.cut(grpc.StatusCode.UNAVAILABLE)
            return 1
        case _:
            assert_never(fault)


def _cut(world: World, status: str) -> int:
    board = world.switchboard
    return board.reset() if status == pubsub.RST else board.cut(grpc.StatusCode[status])
