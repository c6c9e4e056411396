"""docs/security.md says which test stands behind which requirement; this says that it is true."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.provisioning.test_fault_map import TEST, names_in

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = {1: 12, 2: 6, 3: 7, 4: 8, 5: 8, 6: 9}
ROWS = [f"{section}.{row}" for section, rows in SECTIONS.items() for row in range(1, rows + 1)]
ROW = re.compile(r"^\| (?P<row>\d+\.\d+) \|(?P<what>[^|]+)\|(?P<where>.+)\|$", re.MULTILINE)


@cache
def mapped() -> dict[str, str]:
    """Row → the cell that names its tests."""
    return {found["row"]: found["where"] for found in ROW.finditer((ROOT / "docs/security.md").read_text())}


def test_no_row_is_missing_and_none_is_unknown() -> None:
    assert list(mapped()) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_a_requirement_has_tests_that_exist(row: str) -> None:
    tests = list(TEST.finditer(mapped()[row]))
    assert tests, f"{row} names no test"
    for test in tests:
        assert (ROOT / test["path"]).is_file(), test["path"]
        assert test["name"] is None or test["name"] in names_in(test["path"]), test[0]
