"""The rest of long results, kept until it is fetched (salesforce-wire.md, section 3.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.salesforce import ids
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.org import Org

LIFE = timedelta(days=2)
MOST_OF_A_USER = 10
_PREFIX = "01g"
_CHUNK = 2000


@dataclass(frozen=True)
class Locator:
    """A result by the text of its query. `steps` and `parent` lead to a sub-query's result within it."""

    name: str
    query: str
    deleted_too: bool
    steps: tuple[str, ...]
    parent: str
    size: int


class Locators:
    """Keeps the ids of results in pieces, so that a page costs no more of a long result than of a short one.

    A user's locators are nobody else's. Of one user the newest ten are kept, and none longer than two days.
    """

    def __init__(self, org: Org) -> None:
        self._org = org
        self._table = org.store.table("query locator", indexes=("user_id",))
        self._chunks = org.store.table("query locator chunk")

    def keep(
        self,
        user_id: str,
        query: str,
        deleted_too: bool,
        found: list[str],
        steps: tuple[str, ...] = (),
        parent: str = "",
    ) -> Locator:
        """Keep a result for the user."""
        self._drop_oldest(user_id)
        name = ids.make(_PREFIX, self._org.store.next_number("query locator"))
        record: dict[str, Any] = {
            "query": query,
            "deleted_too": deleted_too,
            "steps": list(steps),
            "parent": parent,
            "size": len(found),
            "user_id": user_id,
            "made_at": self._org.clock.now().isoformat(),
        }
        with self._org.store.transaction():
            self._table.put(name, {"name": name, **record})
            for start in range(0, len(found), _CHUNK):
                self._chunks.put(f"{name}/{start // _CHUNK}", {"ids": found[start : start + _CHUNK]})
        return Locator(name, query, deleted_too, steps, parent, len(found))

    def find(self, user_id: str, name: str) -> Locator:
        """The user's locator. Raises ApiError INVALID_QUERY_LOCATOR."""
        record = self._table.get(name)
        if record is None or record["user_id"] != user_id or self._stale(record["made_at"]):
            raise invalid()
        steps = tuple(record["steps"])
        return Locator(name, record["query"], record["deleted_too"], steps, record["parent"], record["size"])

    def page(self, locator: Locator, start: int, end: int) -> list[str]:
        """The ids from `start` up to `end`."""
        first, last = start // _CHUNK, (min(end, locator.size) - 1) // _CHUNK
        pieces = (self._chunks.get(f"{locator.name}/{number}") for number in range(first, last + 1))
        found = [record_id for piece in pieces if piece is not None for record_id in piece["ids"]]
        return found[start - first * _CHUNK : end - first * _CHUNK]

    def _drop_oldest(self, user_id: str) -> None:
        held = self._table.find("user_id", user_id)
        spare = len(held) - MOST_OF_A_USER + 1
        for at, record in enumerate(held):
            if at < spare or self._stale(record["made_at"]):
                self._drop(record["name"], record["size"])

    def _drop(self, name: str, size: int) -> None:
        with self._org.store.transaction():
            self._table.delete(name)
            for number in _chunk_numbers(size):
                self._chunks.delete(f"{name}/{number}")

    def _stale(self, made_at: str) -> bool:
        return self._org.clock.now() - datetime.fromisoformat(made_at) > LIFE


def invalid() -> ApiError:
    """No such locator, or not one for this user, or one that is too old: the service does not tell which."""
    return ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")


def _chunk_numbers(size: int) -> Iterator[int]:
    return iter(range((size + _CHUNK - 1) // _CHUNK))
