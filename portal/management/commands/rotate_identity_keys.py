"""`manage.py rotate_identity_keys`: after a new key was put first in IDENTITY_KEYS (docs/identity-papers.md)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.identity import keys, storage


class Command(BaseCommand):
    help = "Wraps the keys of all identity papers under the newest key of IDENTITY_KEYS. Begin anew after a stop."

    def handle(self, *args: Any, **options: Any) -> None:
        """Says how many it did and which key may go afterwards. Raises CommandError when an old key is missing."""
        done = 0
        try:
            for many in storage.rewrap():
                done += many
        except keys.CannotOpen as error:
            raise CommandError(f"After {done} papers: {error}.") from error
        self.stdout.write(f"{done} papers are now under the key {keys.newest()}; all other keys can be taken away.")
