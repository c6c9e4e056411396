"""All or nothing: the one way in which several writes share a fate, whichever call they came in."""

from collections.abc import Callable
from typing import TypeVar

from sandbox.salesforce.errors import ApiError
from sandbox.store import Store

T = TypeVar("T")


class _Undo(Exception):
    """Leaves a transaction that is to leave no trace."""


def all_or_nothing(store: Store, act: Callable[[], T], failed: Callable[[T], bool]) -> tuple[T, bool]:
    """What `act` returned, and whether what it did was kept: all of it is taken back when `failed` says so of the
    result. An exception of `act` takes everything back as well, and goes on."""
    results: list[T] = []
    try:
        with store.transaction():
            results.append(act())
            if failed(results[0]):
                raise _Undo
    except _Undo:
        return results[0], False
    return results[0], True


def attempt(store: Store, act: Callable[[], T]) -> T | ApiError:
    """What `act` returned, or the ApiError it raised, with everything it did before taken back."""
    try:
        with store.transaction():
            return act()
    except ApiError as error:
        return error
