"""Every action of the external API as its reference documents it: names, types and error texts.

`documented.json` holds facts of github.com/WHMCS/developer-docs at 2e75f454 (MIT licence), without its descriptions.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Documented:
    """One action. Parameters and response fields map names to the types that the reference gives them; `sample` names
    the top-level fields of the printed example, which may be others."""

    name: str
    required: dict[str, str] = field(default_factory=dict)
    optional: dict[str, str] = field(default_factory=dict)
    deprecated: dict[str, str] = field(default_factory=dict)
    response: dict[str, str] = field(default_factory=dict)
    sample: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@cache
def documented() -> dict[str, Documented]:
    """All of them by lower-case name."""
    found = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
    return {name.lower(): Documented(name, **facts) for name, facts in found.items()}
