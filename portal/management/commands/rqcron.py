"""`manage.py rqcron portal.cron`: RQ's clock, with jobs in the serializer of their queue.

RQ's own scheduler pickles whatever the queue says; our workers read JSON alone (security.md §4).
"""

from typing import Any

import django_rq
from django.core.management.base import BaseCommand, CommandParser
from django_rq.cron import DjangoCronScheduler
from rq.cron import CronJob
from rq.utils import now

RESULT_KEPT_S = 60


class QueueScheduler(DjangoCronScheduler):  # type: ignore[misc] # django-rq has no types
    """Enqueues through django-rq's queues."""

    def enqueue_jobs(self) -> list[CronJob]:
        """Enqueues what is due. A run more does no harm: every round looks whether it is too early."""
        due = [job for job in self.get_jobs() if job.should_run()]
        for job in due:
            django_rq.get_queue(job.queue_name).enqueue(job.func, result_ttl=RESULT_KEPT_S)
            job.set_enqueue_time(now())
        return due


class Command(BaseCommand):
    help = "Starts the clock of the periodic jobs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("config_path", help="module that registers the jobs")

    def handle(self, *_args: Any, **options: Any) -> None:
        scheduler = QueueScheduler()
        scheduler.load_config_from_file(options["config_path"])
        scheduler.start()
