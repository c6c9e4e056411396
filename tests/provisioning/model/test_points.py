"""No point is forgotten: whatever provisioning and its journal commit or ask of others, the model lets it go wrong, or
it is named here with the reason why not."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.provisioning.model.points import CALLS, COMMITS

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [*(ROOT / "provisioning").rglob("*.py"), *(ROOT / "journal").rglob("*.py")]
PASSES = frozenset({"commit", "around", "reach"})
SYSTEMS = frozenset({"salesforce", "whmcs", "esim"})
NOT_IN_THE_MODEL: Mapping[str, str] = {
    **dict.fromkeys(("cursor.take_over", "cursor.position_lost"), "a rule does it; a leader that dies tries again"),
    "cursor.write": "of a response without events, which the model does not send: test_subscriber.py",
    **dict.fromkeys(("round.begin", "round.succeed"), "not of provisioning: test_facts_and_rounds.py"),
    "retention.payloads": "empties what nobody reads any more: test_retention.py",
    "pause.set": "a person's button",
    "outbox.send_again": "a person's button, for reports that were refused: test_outbox.py",
    "outbox.part": "no Opportunity is locked in the model: test_outbox.py",
    "outbox.hold_back": "no limit is used up in the model: test_outbox.py",
    "whmcs.orders": "of WHMCS_MARK_CARRIER=notes: test_found_in_whmcs.py",
    "whmcs.module_create": "no module fails in the model: test_worker.py",
    "salesforce.activate_opportunity": "no Opportunity is locked in the model: test_outbox.py",
    "salesforce.request_provisioning": "the operator's button: the model's people press it in Salesforce",
}


def commits_of(tree: ast.AST) -> Iterator[str]:
    """The names given to commit, around and reach."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in PASSES and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value.removesuffix(":before").removesuffix(":after")


def calls_of(tree: ast.AST) -> Iterator[str]:
    """What is called of a client, at the gateway or by a name that the client was given."""
    clients = {_name(node.targets[0]): _system(node.value) for node in ast.walk(tree) if isinstance(node, ast.Assign)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            system = _system(node.value) or clients.get(_name(node.value), "")
            if system:
                yield f"{system}.{node.attr}"


def _system(node: ast.AST) -> str:
    """The system whose client `gateway.system()` gives; empty for anything else."""
    asked = _asked_of_the_gateway(node.func) if isinstance(node, ast.Call) else ""
    return asked if asked in SYSTEMS else ""


def _asked_of_the_gateway(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) and _name(node.value) == "gateway" else ""


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def in_the_source() -> set[str]:
    trees = [ast.parse(path.read_text()) for path in SOURCES]
    return {name for tree in trees for name in (*commits_of(tree), *calls_of(tree))}


def in_the_model() -> set[str]:
    return {name for of_a_job in (*CALLS.values(), *COMMITS.values()) for name in of_a_job}


def test_every_commit_and_every_call_goes_wrong_in_the_model_or_has_a_reason_not_to() -> None:
    source = in_the_source()
    assert len(source) > 60
    assert source - in_the_model() == NOT_IN_THE_MODEL.keys()
    assert in_the_model() <= source


def test_nobody_else_is_asked_than_the_systems_that_are_looked_for() -> None:
    trees = [ast.parse(path.read_text()) for path in SOURCES]
    of_the_gateway = {_asked_of_the_gateway(node) for tree in trees for node in ast.walk(tree)} - {""}
    assert of_the_gateway == SYSTEMS | {"event_stream"}  # the stream is the subscriber's alone: test_subscriber.py


def test_each_reason_names_tests_that_exist() -> None:
    named = {word for reason in NOT_IN_THE_MODEL.values() for word in re.findall(r"test_\w+\.py", reason)}
    assert named <= {path.name for path in (ROOT / "tests").rglob("test_*.py")}
