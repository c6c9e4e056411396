"""In what a journey is travelled: a language, a width, and a browser with or without scripts.

Four cells hold every pair of the three. `make journeys` travels every journey in all of them, `make test` two in one.
"""

from dataclasses import dataclass
from typing import Any

import pytest

LOCALES = {"en": "en-GB", "ja": "ja-JP"}
PHONE, DESK, HEIGHT = 390, 1280, 844


@dataclass(frozen=True)
class Cell:
    """`width` in CSS pixels."""

    language: str
    width: int
    script: bool

    def __str__(self) -> str:
        return f"{self.language}-{self.width}-{'script' if self.script else 'plain'}"

    def options(self, site_url: str) -> dict[str, Any]:
        """What Playwright makes the window of."""
        return {
            "base_url": site_url,
            "viewport": {"width": self.width, "height": HEIGHT},
            "locale": LOCALES[self.language],
            "timezone_id": "Asia/Tokyo",
            "java_script_enabled": self.script,
            "reduced_motion": "reduce",
        }


EN_PHONE, EN_DESK = Cell("en", PHONE, script=True), Cell("en", DESK, script=False)
JA_PHONE, JA_DESK = Cell("ja", PHONE, script=False), Cell("ja", DESK, script=True)
ALL = (EN_PHONE, EN_DESK, JA_PHONE, JA_DESK)


def travelled_in(*always: Cell) -> pytest.MarkDecorator:
    """In all cells; those but `always` are thorough."""
    marks = {cell: () if cell in always else (pytest.mark.thorough,) for cell in ALL}
    return pytest.mark.parametrize("cell", [pytest.param(cell, id=str(cell), marks=marks[cell]) for cell in ALL])
