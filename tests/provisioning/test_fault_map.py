"""docs/reliability.md says which test covers which fault; this says that it is true: every row is there, every test
exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "reliability.md"
ROWS = [*(f"A{n}" for n in range(1, 21)), *(f"B{n}" for n in range(1, 14)), *(f"C{n}" for n in range(1, 34))]
INVARIANTS = [*(f"S{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 6))]
ROW = re.compile(r"^\| (?P<row>[ABCSL]\d+) \|(?P<fault>[^|]+)\|(?P<where>.+)\|$", re.MULTILINE)
TEST = re.compile(r"`(?P<path>tests/[\w/]+\.py)(?:::(?P<name>\w+))?`")


@cache
def mapped() -> dict[str, str]:
    """Row → the cell that names its tests."""
    return {found["row"]: found["where"] for found in ROW.finditer(PAGE.read_text())}


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef))


@pytest.mark.parametrize("row", [*ROWS, *INVARIANTS])
def test_a_fault_is_covered_by_tests_that_exist(row: str) -> None:
    tests = list(TEST.finditer(mapped()[row]))
    assert tests, f"{row} names no test"
    for test in tests:
        assert (ROOT / test["path"]).is_file(), test["path"]
        assert test["name"] is None or test["name"] in names_in(test["path"]), test[0]
