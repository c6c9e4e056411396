"""The worker of every queue: RQ's SimpleWorker, with a database connection that is looked at before each job."""

from typing import TYPE_CHECKING

from django.db import close_old_connections
from rq import SimpleWorker

if TYPE_CHECKING:
    from rq.job import Job
    from rq.queue import Queue


class Worker(SimpleWorker):  # type: ignore[misc] # rq has no types
    """No fork (decisions.md 27). A database that was restarted costs no job after it."""

    def perform_job(self, job: "Job", queue: "Queue") -> bool:
        close_old_connections()
        try:
            done: bool = super().perform_job(job, queue)
            return done
        finally:
            close_old_connections()
