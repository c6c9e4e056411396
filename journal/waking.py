"""How a row that needs work wakes a worker: a job on commit that carries the row's key and nothing else."""

import django_rq
from django.db import transaction


def wake(queue: str, function: str, key: int) -> None:
    """Enqueues `function` (a dotted path) with the primary key `key` once the current transaction is committed.

    Best effort: when Redis is away the error is logged and the row waits for its sweep, so the caller's work stands.
    """

    def enqueue() -> None:  # a function, since Django names it when it logs the error; a partial has no name
        django_rq.get_queue(queue).enqueue(function, key)

    transaction.on_commit(enqueue, robust=True)
