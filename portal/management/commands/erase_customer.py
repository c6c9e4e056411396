"""`manage.py erase_customer E-MAIL --reason …`: removes a person from the portal (docs/personal-data.md)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from notifications.retention import of_nobody
from portal.personal_data.erasing import NotYet, erase, erase_address


class Command(BaseCommand):
    help = "Removes what says who a customer is. Cannot be undone; asks before it does it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="who asked for it, e.g. the number of the Case")
        parser.add_argument("--yes", action="store_true", help="does not ask")

    def handle(self, *args: Any, email: str, reason: str, yes: bool, **options: Any) -> None:
        """Asks, erases and says what went. Raises CommandError with a sentence, and then nothing is changed."""
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            self._address(email, reason, asks=not yes)
            return
        if not yes and input(f"Erase customer {user.pk} for good? Type the number: ") != str(user.pk):
            raise CommandError("Nothing was changed.")
        try:
            gone = erase(user, reason=reason)
        except NotYet as reason_why:
            raise CommandError(f"{reason_why} Nothing was changed.") from reason_why
        for what, count in gone.items():
            self.stdout.write(f"{what}: {count}")

    def _address(self, email: str, reason: str, *, asks: bool) -> None:
        """The same for somebody who never became a customer: of them there are mails and nothing else."""
        count = of_nobody().filter(to__iexact=email).count()
        if not count:
            raise CommandError("Nobody has this e-mail address, and no mail went to it.")
        if asks and input(f"No customer; delete {count} mails to this address? Type how many: ") != str(count):
            raise CommandError("Nothing was changed.")
        try:
            gone = erase_address(email, reason=reason)
        except NotYet as reason_why:
            raise CommandError(f"{reason_why} Nothing was changed.") from reason_why
        self.stdout.write(f"mails: {gone}")
