"""`manage.py compile_translations [--check]`: makes the .mo files; --check fails while a text lacks Japanese."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.translations import compile_all, gaps


class Command(BaseCommand):
    help = "Compiles the translations. With --check, fails when a text of the portal has no Japanese."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail while a text lacks Japanese")

    def handle(self, *args: Any, **options: Any) -> None:
        compile_all()
        if options["check"] and (sentences := gaps("ja")):
            raise CommandError("\n".join(sentences))
