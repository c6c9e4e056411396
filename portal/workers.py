"""The worker of every queue: RQ's SimpleWorker, with a database connection that is looked at before each job."""

import sys
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from django.db import close_old_connections
from rq import SimpleWorker
from rq.timeouts import UnixSignalDeathPenalty

if TYPE_CHECKING:
    from rq.job import Job
    from rq.queue import Queue


class TimeIsUp(BaseException):
    """A job ran for longer than it may. Not an Exception: nothing on its way takes it for trouble of its own."""


class Alarm(UnixSignalDeathPenalty):  # type: ignore[misc] # rq has no types
    """RQ's, whose own exception any `except Exception` would swallow, and the job would go on without a limit."""

    def handle_death_penalty(self, signum: int, frame: FrameType | None) -> NoReturn:
        raise TimeIsUp


class Worker(SimpleWorker):  # type: ignore[misc] # rq has no types
    """No fork (decisions.md 27). A database that was restarted costs no job after it."""

    death_penalty_class = Alarm

    def perform_job(self, job: "Job", queue: "Queue") -> bool:
        close_old_connections()
        try:
            done: bool = super().perform_job(job, queue)
            return done
        finally:
            close_old_connections()

    def handle_job_failure(self, job: "Job", queue: "Queue", *args: Any, exc_string: str = "", **kwargs: Any) -> None:
        """Keeps the error's name alone: RQ stores it in Redis for a year, and its text may hold what a customer typed.

        The places are in the log.
        """
        error = sys.exception()
        kept = type(error).__name__ if error is not None else exc_string
        super().handle_job_failure(job, queue, *args, exc_string=kept, **kwargs)
