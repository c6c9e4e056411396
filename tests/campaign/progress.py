"""What a campaign has lived through so far, kept in a file, so that an interrupted one goes on where it stopped."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.campaign.servers import ROOT


class Progress:
    """Results of this revision of the code, by seed number; those of another revision are forgotten."""

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "progress.jsonl"
        self.revision = _revision()
        self.done: dict[int, dict[str, Any]] = {}
        self.seconds = 0.0
        if not fresh:
            self._read()
        if not self.done:
            self._file.write_text(json.dumps({"revision": self.revision}) + "\n")

    def keep(self, result: dict[str, Any]) -> None:
        self.done[int(result["number"])] = result
        self._append(result)

    def spent(self, seconds: float) -> None:
        self.seconds += seconds
        self._append({"seconds": seconds})

    def _read(self) -> None:
        lines = [json.loads(line) for line in self._file.read_text().splitlines()] if self._file.exists() else []
        if not lines or lines[0].get("revision") != self.revision:
            return
        for line in lines[1:]:
            if "seconds" in line:
                self.seconds += line["seconds"]
            else:
                self.done[line["number"]] = line

    def _append(self, line: dict[str, Any]) -> None:
        with self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")


def _revision() -> str:
    """The commit, and whether anything differs from it."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"
