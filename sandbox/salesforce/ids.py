"""Record ids: 15 characters with case, or 18 with a suffix that survives its loss (salesforce-wire.md, section 3.4)."""

from string import ascii_lowercase, ascii_uppercase, digits

# In ASCII order, so that ids of one type sort by age.
ALPHABET = digits + ascii_uppercase + ascii_lowercase
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
    if len(text) not in (15, 18) or not all(char in ALPHABET for char in text):
        return None
    if len(text) == 15:
        return suffixed(text)
    # The suffix repairs an id that lost its case; one that merely disagrees is refused.
    short = _repaired(text) if text in (text.lower(), text.upper()) else text[:15]
    whole = suffixed(short)
    return whole if text[15:].upper() == whole[15:] else None


def make(prefix: str, number: int) -> str:
    """The id of the n-th record of a type."""
    short = ""
    while number:
        number, rest = divmod(number, len(ALPHABET))
        short = ALPHABET[rest] + short
    return suffixed(prefix + _INSTANCE + short.rjust(6, "0"))


def _repaired(text: str) -> str:
    """The first 15 characters with the case that the suffix remembers."""
    bits = [_SUFFIX.find(char.upper()) >> at & 1 for char in text[15:] for at in range(5)]
    return "".join(char.upper() if bit else char.lower() for char, bit in zip(text, bits, strict=False))
