"""Making the campaign's list of points: every circumstance is lived through once without a crash."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.campaign.points import FILE


def read(folder: Path) -> dict[str, dict[str, int]]:
    """What each kind of process passed since the last call, and how often. The processes must have ended."""
    found = {}
    for file in folder.glob("*.points"):
        found[file.stem] = dict(sorted(Counter(file.read_text().split("\n")[:-1]).items()))
        file.unlink()
    found.setdefault("worker", {}).update(found.pop("second", {}))
    return found


def write(results: Iterable[Mapping[str, Any]], circumstances: Iterable[str]) -> None:
    """Replaces the list. Raises AssertionError when a circumstance did not end well."""
    by_name = {}
    for result in results:
        assert not result["problems"], f"{result['seed']}: {result['problems']}"
        by_name[result["circumstance"]] = result["points"]
    FILE.write_text(json.dumps({name: by_name[name] for name in circumstances}, indent=1, sort_keys=False) + "\n")
