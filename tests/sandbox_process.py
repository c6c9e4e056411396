"""A running sandbox, as the tests see it: its addresses, its ledger, its buttons."""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from sandbox.embedded.processes import free_port, python, spawn, stop


class Buttons:
    """The port for people and programs of a sandbox that runs, whoever started it."""

    def __init__(self, people_url: str) -> None:
        self.people_url = people_url

    def ledger(self, **filters: Any) -> list[dict[str, Any]]:
        """Every row of what the outside systems accepted: system=, operation=, after=, key=, correlation_id= …"""
        rows: list[dict[str, Any]] = []
        page = self.get("/control/ledger", **filters)
        while page["next"]:
            rows += page["rows"]
            page = self._call(urllib.request.Request(self._people(page["next"])))
        return rows + list(page["rows"])

    def last_ledger_id(self) -> int:
        newest = self.get("/control/ledger", order="newest", limit=1)["rows"]
        return int(newest[0]["number"]) if newest else 0

    def get(self, path: str, **query: Any) -> Any:
        return self._call(urllib.request.Request(f"{self._people(path)}?{urllib.parse.urlencode(query)}"))

    def control(self, path: str, body: Any = None) -> Any:
        """POSTs JSON to one of the sandbox's control addresses."""
        data = json.dumps(body or {}).encode()
        return self._call(urllib.request.Request(self._people(path), data, {"Content-Type": "application/json"}))

    def delete(self, path: str) -> Any:
        return self._call(urllib.request.Request(self._people(path), method="DELETE"))

    def _people(self, path: str) -> str:
        return self.people_url + path

    @staticmethod
    def _call(request: urllib.request.Request) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{request.full_url}: {error.code} {error.read()[:500]!r}") from error


class Sandbox(Buttons):
    """Starts `python -m sandbox` with free ports; `urls` is its `ready` line."""

    def __init__(self, state: Path, *extra: str) -> None:
        state.mkdir(parents=True, exist_ok=True)
        ports = [part for name in ("salesforce", "pubsub", "whmcs", "esim", "people", "smtp") for part in _port(name)]
        command = [python(), "-m", "sandbox", "--state", str(state), *ports, *extra]
        self.log = state / "sandbox.log"
        self._process = spawn(command, log=self.log, stdout=subprocess.PIPE)
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line.startswith("ready "):
            raise RuntimeError(f"the sandbox did not start: {self.log.read_text()[-2000:]}")
        self.urls: dict[str, str] = json.loads(line.removeprefix("ready "))
        super().__init__(self.urls["people_url"])

    def stop(self) -> None:
        stop(self._process)


def _port(name: str) -> tuple[str, str]:
    return f"--{name}-port", str(free_port())
