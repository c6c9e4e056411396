"""Record ids: 15 characters with case, or 18 with a suffix that survives its loss (salesforce-wire.md, section 3.4)."""

from string import ascii_lowercase, ascii_uppercase, digits

# In ASCII order, so that ids of one type sort by age.
_ALPHABET = digits + ascii_uppercase + ascii_lowercase
_SUFFIX = ascii_uppercase + "012345"
_INSTANCE = "5j0000"


def suffixed(short: str) -> str:
    """The 18 characters of a 15-character id."""
    blocks = (short[start : start + 5] for start in (0, 5, 10))
    return short + "".join(
        _SUFFIX[sum(1 << at for at, char in enumerate(b) if char in ascii_uppercase)] for b in blocks
    )


def normalise(text: str) -> str | None:
    """The 18-character form of an id given in either form; None when it is no id or its suffix is wrong."""
    if len(text) not in (15, 18) or not all(char in _ALPHABET for char in text):
        return None
    whole = suffixed(text[:15])
    # The suffix repairs an id that lost its case; one that merely disagrees is refused.
    return whole if len(text) == 15 or text[15:].upper() == whole[15:] else None


def make(prefix: str, number: int) -> str:
    """The id of the n-th record of a type."""
    short = ""
    while number:
        number, rest = divmod(number, len(_ALPHABET))
        short = _ALPHABET[rest] + short
    return suffixed(prefix + _INSTANCE + short.rjust(6, "0"))
