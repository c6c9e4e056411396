"""Commits that a test run can die at: before one everything of it is undone, after it everything stands."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from integrations import failpoints


@contextmanager
def commit(name: str, *, durable: bool = False) -> Iterator[None]:
    """A transaction with the points `NAME:before` and `NAME:after` around its commit (reliability.md §4).

    Inside another transaction it joins that one, whose own commit has points of its own; `durable` forbids that.
    """
    with transaction.atomic(durable=durable):
        yield
        failpoints.reach(f"{name}:before")
    failpoints.reach(f"{name}:after")
