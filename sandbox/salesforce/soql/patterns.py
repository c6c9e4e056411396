"""LIKE as a regular expression that takes time in proportion to the text, whatever the pattern."""

import re

_PART = re.compile(r"\\.|.", re.DOTALL)


def like(text: str) -> re.Pattern[str]:
    """`%` is any text, `_` one character, and a backslash makes either plain. For `fullmatch`."""
    pieces = [""]
    for part in _PART.findall(text):
        if part == "%":
            pieces.append("")
        else:
            pieces[-1] += "." if part == "_" else re.escape(part[-1])
    # The first place where a piece fits is as good as any later one, so the group never has to be tried again.
    first, *middle, last = pieces if len(pieces) > 1 else [pieces[0], ""]
    between = "".join(f"(?>.*?{piece})" for piece in middle)
    ending = f".*{last}" if len(pieces) > 1 else ""
    return re.compile(first + between + ending, re.IGNORECASE | re.DOTALL)
