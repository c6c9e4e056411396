"""What outside systems say, made fit for logs, Salesforce and staff: one short line without personal data."""

import re

LONGEST = 160
_EMAIL = re.compile(r"[^\s@<>()\"',;]+@[^\s@<>()\"',;]+")
_NUMBER = re.compile(r"\+?\d[\d -]{5,}\d")
_ID = re.compile(r"\b(?=[A-Za-z]*\d)[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\b")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f]+")


def harmless(text: str) -> str:
    """`text` on one line, e-mail addresses and long numbers masked (Salesforce ids stay), at most 160 characters."""
    line = _EMAIL.sub("…@…", _SPACE.sub(" ", text).strip())
    kept = _ID.sub(lambda found: found.group().translate(_AWAY), line)
    return _NUMBER.sub("…", kept).translate(_BACK)[:LONGEST]


# While numbers are masked, the digits of ids stand in Unicode's private use area.
_AWAY = {ord("0") + digit: 0xE000 + digit for digit in range(10)}
_BACK = {there: here for here, there in _AWAY.items()}
