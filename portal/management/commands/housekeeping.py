"""`manage.py housekeeping --once`: every periodic round once, in this process and without Redis (decisions.md 27)."""

from argparse import ArgumentParser
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from portal.cron import EVERY

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Runs every periodic round once, without Redis. A round that ran a moment ago is left out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", required=True, help="one round (rqcron does the others)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs all rounds, whatever becomes of each. Raises CommandError naming those that failed."""
        failed = [name for name in EVERY if not self._ran(name)]
        if failed:
            raise CommandError(f"These rounds failed, see the log: {', '.join(failed)}.")

    def _ran(self, name: str) -> bool:
        try:
            import_string(name)()
        except Exception:
            log.exception("round_failed", run=name)
            return False
        self.stdout.write(f"{name}: done")
        return True
