"""How a row that needs work wakes a worker: a job on commit that carries the row's key and nothing else."""

from functools import partial

import django_rq
from django.db import transaction


def wake(queue: str, function: str, key: int) -> None:
    """Enqueues `function` (a dotted path) with the primary key `key` once the current transaction is committed.

    Best effort: when Redis is away the error is logged and the row waits for its sweep, so the caller's work stands.
    """
    transaction.on_commit(partial(_enqueue, queue, function, key), robust=True)


def _enqueue(queue: str, function: str, key: int) -> None:
    django_rq.get_queue(queue).enqueue(function, key)
