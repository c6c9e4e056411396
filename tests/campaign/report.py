"""The result of a campaign: a few numbers, and the page of docs/ that keeps the last full one."""

import statistics
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.campaign import seeds
from tests.campaign.progress import Progress
from tests.campaign.servers import TIMES

HEADING = "## The last run\n"
SLOWEST_S = int(TIMES["LEASE_S"]) + int(TIMES["SWEEP_S"]) + 10


@dataclass(frozen=True)
class Summary:
    """`red`: seeds with anything lost, doubled, left unknown or wrong otherwise; `slow`: that recovered too late."""

    revision: str
    seeds: int
    systematic: int
    seconds: float
    crashes: Counter[str]
    problems: Counter[str]
    slowest_recovery_s: float
    median_recovery_s: float
    slow: list[int]
    red: list[str] = field(default_factory=list)


def summary(progress: Progress) -> Summary:
    results = list(progress.done.values())
    recoveries = [each["recovery_s"] for each in results if each["recovery_s"]]
    first = len(seeds.systematic())
    return Summary(
        revision=progress.revision,
        seeds=len(results),
        systematic=sum(each["number"] < first for each in results),
        seconds=progress.seconds,
        crashes=Counter(kind for each in results for kind in each["crashes"]),
        problems=Counter(kind for each in results for kind in {kind for kind, _text in each["problems"]}),
        slowest_recovery_s=max(recoveries, default=0.0),
        median_recovery_s=statistics.median(recoveries) if recoveries else 0.0,
        slow=[each["number"] for each in results if each["recovery_s"] > SLOWEST_S],
        red=[f"{each['number']} ({each['seed']}): {each['problems']}" for each in results if each["problems"]],
    )


def in_words(result: Summary) -> str:
    kinds = ", ".join(f"{count} of the {kind}" for kind, count in sorted(result.crashes.items()))
    lines = [
        f"{result.seeds} seeds run ({result.systematic} systematic, {result.seeds - result.systematic} drawn) "
        f"in {result.seconds / 60:.0f} minutes at revision {result.revision}",
        f"{sum(result.crashes.values())} processes killed, stopped or failed: {kinds}",
        *(f"{result.problems[kind]} {name}" for kind, name in KINDS.items()),
        f"slowest recovery {result.slowest_recovery_s:.1f} s, median {result.median_recovery_s:.1f} s "
        f"(the bound is lease + sweep + 10 s = {SLOWEST_S} s)",
        *(f"too slow: seed {number}" for number in result.slow),
        *(f"red: {text}" for text in result.red),
    ]
    return "\n".join(lines)


KINDS = {"lost": "lost", "doubled": "doubled", "unknown": "unknown left", "wrong": "wrong otherwise"}


def write_into(page: Path, result: Summary) -> None:
    """Replaces the last section of the page by this result."""
    text = page.read_text().partition(HEADING)[0]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    lines = "\n".join(f"- {line}" for line in in_words(result).splitlines())
    page.write_text(f"{text}{HEADING}\n{today}, `make campaign SEEDS={result.seeds}`:\n\n{lines}\n")
