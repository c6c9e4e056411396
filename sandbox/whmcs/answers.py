"""What an action answers (whmcs-wire §1.2, §1.5)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox.whmcs.php import PhpArray, to_int

Payload = dict[str, Any]

DEFAULT_PAGE = 25
# As many rows as a page can have, and as far as it can begin; more would be more than itertools can count.
_FAR = 2**31


class Refused(Exception):
    """A business error: `{"result":"error"}`, HTTP 200 unless said otherwise, and nothing changed."""

    def __init__(self, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


@dataclass
class Answer:
    """An action's outcome. `key` and `detail` go to the ledger.

    `failure` is an error text although state changed, as when a module fails in the middle of AcceptOrder. `verdict` is
    the name under which success is told.
    """

    payload: Payload = field(default_factory=dict)
    key: str = ""
    detail: Payload = field(default_factory=dict)
    failure: str = ""
    verdict: Literal["result", "status"] = "result"


def failed(message: str) -> Payload:
    """The body of any error."""
    return {"result": "error", "message": message}


def window(form: PhpArray) -> tuple[int, int]:
    """Where a page begins and how many rows it may have: limitstart 0 and limitnum 25 unless sent (§1.5)."""
    start, limit = to_int(form.get("limitstart")), to_int(form.get("limitnum")) or DEFAULT_PAGE
    return min(max(start, 0), _FAR), min(max(limit, 0), _FAR)


def page(form: PhpArray, rows: Sequence[Payload], plural: str, singular: str) -> Payload:
    """The list envelope with those of the rows that the page shows (§1.5)."""
    start, limit = window(form)
    shown = list(rows[start : start + limit])
    return {
        "totalresults": len(rows),
        "startnumber": start,
        "numreturned": len(shown),
        plural: {singular: shown},
    }
