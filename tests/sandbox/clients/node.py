"""Other people's clients for Node, unmodified. Scripts use them and say what they saw as lines of JSON."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox_process import Sandbox

HERE = Path(__file__).parent
WITHIN_S = 60
OLDEST_NODE = 20


def require_clients() -> None:
    """`make node-clients` puts the clients there. Without Node the test is skipped, but never where it must be."""
    needed = {f"Node {OLDEST_NODE} or newer": _node_version() >= OLDEST_NODE, "make node-clients": _modules()}
    missing = [name for name, there in needed.items() if not there]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"the clients for Node are not tried: {', '.join(missing)} is missing")


def _node_version() -> int:
    """0 without any."""
    node = shutil.which("node")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout if node else "v0"
    return int(version.removeprefix("v").partition(".")[0])


def _modules() -> bool:
    return (HERE / "node_modules" / "salesforce-pubsub-api-client").is_dir()


class Node:
    """One running script, named by its path here without the ending; `more` is added to the sandbox's facts."""

    def __init__(self, sandbox: Sandbox, script: str, **more: Any) -> None:
        environment = {
            **os.environ,
            "SANDBOX": json.dumps({**sandbox.urls, **more}),
            "NODE_EXTRA_CA_CERTS": sandbox.urls["ca"],
            "NODE_NO_WARNINGS": "1",
        }
        self._process = subprocess.Popen(
            [shutil.which("node") or "node", HERE / f"{script}.mjs"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def read(self) -> dict[str, Any]:
        """The next thing it says."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        assert line, self._process.communicate()[1]
        said: dict[str, Any] = json.loads(line)
        return said

    def finish(self) -> list[dict[str, Any]]:
        """Everything else it says, once it has ended well."""
        out, err = self._process.communicate(timeout=WITHIN_S)
        assert self._process.returncode == 0, err
        return [json.loads(line) for line in out.splitlines()]

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()
