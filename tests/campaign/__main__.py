"""`make campaign SEEDS=5000`: see docs/crash-campaign.md, or `python -m tests.campaign --help`."""

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import sandbox.__main__  # noqa: F401 - so that the cells' sandboxes have it imported
from tests.campaign import cells, report, seeds, tracing
from tests.campaign.cells import Options
from tests.campaign.circumstances import CIRCUMSTANCES
from tests.campaign.progress import Progress
from tests.campaign.servers import ROOT, Servers


def main() -> int:
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the servers are stopped in any case
    if asked.trace:
        return _trace(asked.cells)
    wanted = _wanted(asked)
    alone = asked.seed is not None or asked.sample is not None
    progress = Progress(asked.state / "alone" if alone else asked.state, fresh=asked.fresh or alone)
    left = [seed for seed in wanted if seed.number not in progress.done]
    say(f"{len(left)} seeds in {asked.cells} cells, {len(wanted) - len(left)} done before; {progress.revision}")
    began = time.monotonic()
    everything = Servers.start(Path(tempfile.mkdtemp(prefix="campaign-")))
    options = Options(asked.cells, ROOT / ".artifacts" / "campaign", history=len(asked.seed or ()) == 1)
    try:
        for result in cells.live_through(left, everything, options):
            progress.keep(result)
            _tell(result, len(progress.done), len(wanted), time.monotonic() - began)
    finally:
        everything.stop()
    progress.spent(time.monotonic() - began)
    summary = report.summary(progress)
    say(report.in_words(summary))
    if asked.report:
        report.write_into(asked.report, summary)
    # A sample is part of the tests, which assert no times: they share the machine with others.
    right = not summary.red and summary.seeds > 0
    return 0 if right and (asked.sample is not None or not summary.slow) else 1


def _trace(count: int) -> int:
    """Makes the list of points anew."""
    everything = Servers.start(Path(tempfile.mkdtemp(prefix="campaign-")))
    try:
        options = Options(count, ROOT / ".artifacts" / "campaign", trace=True)
        results = list(cells.live_through(seeds.calm(), everything, options))
    finally:
        everything.stop()
    for result in results:
        say(f"{result['circumstance']}: {result['took_s']} s {result['problems'] or ''}")
    tracing.write(results, CIRCUMSTANCES)
    return 0


def _wanted(asked: argparse.Namespace) -> list[seeds.Seed]:
    if asked.seed is not None:
        return [seeds.seed(number) for number in asked.seed]
    if asked.sample is not None:
        return list(seeds.spread(asked.sample))
    return [seeds.seed(number) for number in range(asked.seeds)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5000, help="the first N seeds")
    parser.add_argument("--sample", type=int, help="N seeds from all over instead, without progress kept")
    parser.add_argument("--seed", type=int, nargs="+", help="these seeds alone; a single one with its history")
    parser.add_argument("--cells", type=int, default=12, help="how many seeds are lived through at once")
    parser.add_argument("--state", type=Path, default=ROOT / ".campaign", help="where progress is kept")
    parser.add_argument("--fresh", action="store_true", help="forgets the progress of an interrupted campaign")
    parser.add_argument("--trace", action="store_true", help="makes points.json anew")
    parser.add_argument("--report", type=Path, help="writes the result into the last section of this page")
    return parser.parse_args()


def _tell(result: dict[str, Any], done: int, of: int, seconds: float) -> None:
    if result["problems"]:
        say(f"RED {result['number']} {result['seed']}: {json.dumps(result['problems'])}")
    for line in result.get("history", []):
        say(line)
    if done % 50 == 0:
        say(f"{done}/{of} after {seconds:.0f} s")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
