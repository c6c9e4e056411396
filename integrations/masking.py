"""What outside systems say, made fit for logs, Salesforce and staff: one short line without personal data."""

import re

from integrations.plain_words import PLAIN

LONGEST = 160
_EMAIL = re.compile(r"[^\s@<>()\"',;]+@[^\s@<>()\"',;]+")
_NUMBER = re.compile(r"\+?\(?\d[\d .()‐－ー-]{5,}\d")
_ID = re.compile(r"\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\b")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f]+")
_WORD = re.compile(r"[^\W\d_]\w*(?:['’-][^\W_]+)*")  # begins with a letter of any script
_NAMED = re.compile(r"[A-Za-z][A-Za-z0-9_]*__[cre]|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")  # Order_Id__c, STRING_TOO_LONG
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d{1,3}")
_GAPS = re.compile(r"…(?:[ ,.-]*…)+")


def harmless(text: str) -> str:
    """`text` on one line of at most 160 characters, without what may be somebody's: e-mail addresses, long numbers and
    every word that is none of `plain_words`, a field's or a code's name; "…" stands for them. Salesforce ids stay.

    Others say names and addresses back in their refusals, and no pattern tells those from other words.
    """
    line = _EMAIL.sub("…@…", _SPACE.sub(" ", text).strip())
    between, ids = _ID.split(line), _ID.findall(line)
    kept = "".join(_plain(part) + sf_id for part, sf_id in zip(between, [*ids, ""], strict=True))
    return _GAPS.sub("…", kept)[:LONGEST]


def _plain(part: str) -> str:
    return _WORD.sub(lambda found: found.group() if _is_plain(found.group()) else "…", _NUMBER.sub("…", part))


def _is_plain(word: str) -> bool:
    if _NAMED.fullmatch(word):
        return True
    parts = _PART.findall(word)  # OrderItem is made of plain words, too
    return "".join(parts) == re.sub("['’-]", "", word) and all(
        part.isdigit() or part.lower() in PLAIN for part in parts
    )
