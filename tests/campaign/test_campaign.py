"""A short crash campaign: real processes die at points from all over the list while answers are lost."""

import json
import subprocess
from pathlib import Path

import pytest

from sandbox.embedded.processes import python
from tests.campaign.servers import ROOT

pytestmark = [pytest.mark.whole, pytest.mark.xdist_group("campaign")]
SEEDS, CELLS = 40, 12


def test_whatever_dies_each_order_of_forty_seeds_becomes_one_working_service(tmp_path: Path) -> None:
    command = [python(), "-m", "tests.campaign", "--sample", str(SEEDS), "--cells", str(CELLS)]
    done = subprocess.run(
        [*command, "--state", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    lines = [json.loads(line) for line in (tmp_path / "alone" / "progress.jsonl").read_text().splitlines()]
    results = [line for line in lines if "number" in line]
    assert len(results) == SEEDS
    assert sum(len(result["crashes"]) for result in results) >= SEEDS / 2
