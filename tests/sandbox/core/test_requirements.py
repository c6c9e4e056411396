"""The sandbox runs with the packages of requirements-sandbox.in, and with nothing of the portal's."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import sandbox

ROOT = Path(sandbox.__file__).parent
# What starts PostgreSQL, Redis and the portal beside the sandbox.
NOT_ALONE = {"demo", "embedded"}


def imported() -> Iterator[tuple[str, Path]]:
    """Every package that a module of the sandbox names, with the module."""
    for path in ROOT.rglob("*.py"):
        if NOT_ALONE.isdisjoint(path.relative_to(ROOT).parts) and "proto" not in path.parts:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    yield from ((alias.name, path) for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield node.module, path


def test_it_needs_no_other_package() -> None:
    lines = (ROOT.parent / "requirements-sandbox.in").read_text(encoding="utf-8").splitlines()
    listed = {re.split(r"[\[>]", line)[0] for line in lines if line and not line.startswith("#")}
    distributions = {name: {each.lower() for each in found} for name, found in packages_distributions().items()}
    outside = {
        (top, path.name)
        for name, path in imported()
        if (top := name.partition(".")[0]) not in sys.stdlib_module_names and top != "sandbox"
    }
    assert len({top for top, _ in outside}) >= 9
    assert [each for each in outside if distributions.get(each[0], {each[0]}).isdisjoint(listed)] == []
