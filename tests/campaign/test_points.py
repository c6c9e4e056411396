"""No point is forgotten: the campaign's list holds every one the code has, and a seed strikes each in each way."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaign import seeds
from tests.campaign.points import POINTS
from tests.campaign.servers import ROOT

OURS = ("provisioning", "journal", "integrations")
PASSING = {"commit", "around", "reach"}
# Points whose names are put together: systems and operations, which the list has by name.
COMPOSED = {"pubsub.GetTopic", "pubsub.GetSchema", "pubsub.Subscribe", "whmcs.AddOrder", "whmcs.AcceptOrder"}
# No flow of provisioning passes these; where they are passed instead.
ELSEWHERE = {
    "clamd.INSTREAM": "tests/integrations/test_clamd.py",  # identity papers, not orders
    "cleaning.duplicates": "tests/provisioning/test_cleaning.py",
    "inspection.left": "tests/provisioning/test_second_order_left.py",
    "outbox.hold_back": "tests/provisioning/test_outbox.py",  # Salesforce's limit: a quarter of an hour
    "outbox.send_again": "tests/provisioning/test_outbox.py",  # after five refusals
    "retention.payloads": "tests/provisioning/test_retention.py",  # after 90 days
}


def names_in(file: Path) -> Iterator[str]:
    """The names that are given to commit, around and reach as they stand."""
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in PASSING:
            yield str(node.args[0].value).removesuffix(":before").removesuffix(":after")


def sources(*folders: str) -> list[Path]:
    return [file for folder in folders for file in (ROOT / folder).rglob("*.py") if "migrations" not in file.parts]


def listed() -> set[str]:
    return {point for kinds in POINTS.values() for points in kinds.values() for point in points}


def test_every_point_of_the_code_is_in_the_campaigns_list_before_and_after() -> None:
    named = {name for file in sources(*OURS) for name in names_in(file)} | COMPOSED
    assert len(named) > 30
    missing = {f"{name}:{side}" for name in named for side in ("before", "after")} - listed()
    missing = {point for point in missing if point.partition(":")[0] not in ELSEWHERE}
    assert not missing, f"run python -m tests.campaign --trace; if they stay away, a circumstance is missing: {missing}"


def test_no_point_is_excused_that_the_campaign_passes() -> None:
    assert not {point.partition(":")[0] for point in listed()} & set(ELSEWHERE)


@pytest.mark.parametrize("file", sources("provisioning", "journal"), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_transaction_passes_a_point(file: Path) -> None:
    if file == ROOT / "journal" / "commits.py":
        return
    assert "transaction.atomic" not in file.read_text(), "write it as journal.commits.commit(name)"


def test_every_point_of_every_process_is_struck_in_every_way_with_every_lost_answer() -> None:
    struck = {
        (blow.kind, blow.point, blow.action, fault.kind, fault.parameters["at"])
        for seed in seeds.systematic()
        for blow in seed.blows
        for fault in seed.faults
    }
    wanted = {
        (kind, point, action, fault, parameters["at"])
        for kinds in POINTS.values()
        for kind, points in kinds.items()
        for point in points
        for action in ("kill", "stop", "raise")
        for fault, parameters in seeds.MODES.values()
    }
    assert struck == wanted


def test_the_same_number_is_the_same_seed() -> None:
    last = len(seeds.systematic())
    for number in (0, last - 1, last, last + 1234):
        assert seeds.seed(number) == seeds.seed(number)
        assert seeds.seed(number).number == number
    assert seeds.seed(last) != seeds.seed(last + 1)


def test_what_chance_draws_goes_wrong_in_one_to_three_ways() -> None:
    first = len(seeds.systematic())
    counts = {len(seed.blows) + len(seed.faults) for seed in map(seeds.seed, range(first, first + 300))}
    assert counts == {1, 2, 3}
