"""A number on a page of staff."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Number:
    """One number with its place in the admin; `kind` is "", "bad" or "wait"."""

    label: str
    value: str
    note: str = ""
    href: str = ""
    kind: str = ""
