"""`manage.py sync_catalog`: mirrors Salesforce's catalogue now and prints what changed."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.sync import AlreadyRunning, SyncReport, WouldEmpty, sync
from integrations.errors import OutsideError


class Command(BaseCommand):
    help = "Mirrors the products of the Salesforce pricebook and prints what changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--full", action="store_true", help="read everything, not only what changed")
        parser.add_argument("--allow-empty", action="store_true", help="accept a catalogue with nothing for sale")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = sync(full=options["full"] or options["allow_empty"], allow_empty=options["allow_empty"])
        except AlreadyRunning as error:
            raise CommandError("Another process mirrors the catalogue just now; look again in a minute.") from error
        except WouldEmpty as error:
            raise CommandError(f"{error} Use --allow-empty if that is meant.") from error
        except OutsideError as error:
            raise CommandError(f"The catalogue could not be read ({error}); it was left as it is.") from error
        for line in lines_of(report):
            self.stdout.write(line)


def lines_of(report: SyncReport) -> list[str]:
    """The report in lines a person reads."""
    return [
        *(f"added      {sku}" for sku in report.added),
        *(f"changed    {sku}: {', '.join(columns)}" for sku, columns in report.changed.items()),
        *(f"withdrawn  {sku}" for sku in report.withdrawn),
        *(f"hidden     {sku}: {reason}" for sku, reasons in report.broken.items() for reason in reasons),
        f"{len(report.added)} added, {len(report.changed)} changed, {len(report.withdrawn)} withdrawn, "
        f"{report.unchanged} unchanged, {len(report.broken)} hidden because something in them is wrong",
    ]
