"""Salesforce ids: 15 characters with case, or 18 with a suffix that proves the case (salesforce-wire.md §3.4)."""

import re

_FORM = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", re.ASCII)
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

ACCOUNT, CONTACT, OPPORTUNITY, ORDER, ORDER_ITEM, CASE = "001", "003", "006", "801", "802", "500"


def sf_id(text: str, prefix: str = "") -> str:
    """The 18-character form of an id given in either form.

    Raises ValueError when it is no id, its suffix does not fit, or it does not begin with `prefix`.
    """
    if not _FORM.fullmatch(text):
        raise ValueError("not a Salesforce id")
    whole = text[:15] + _suffix(text[:15])
    if len(text) == 18 and text != whole:
        raise ValueError("a Salesforce id whose last three characters do not fit")
    if not whole.startswith(prefix):
        raise ValueError(f"not a Salesforce id beginning with {prefix}")
    return whole


def _suffix(short: str) -> str:
    blocks = (short[start : start + 5] for start in (0, 5, 10))
    return "".join(_SUFFIX[sum(1 << at for at, char in enumerate(block) if char.isupper())] for block in blocks)
