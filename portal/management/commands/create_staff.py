"""`manage.py create_staff EMAIL --group NAME …`: a member of staff with a second factor from the first minute."""

import secrets
from argparse import ArgumentParser
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from accounts.models import User
from accounts.security import rights


class Command(BaseCommand):
    help = "Makes or changes a member of staff, signs them out, prints the TOTP secret of a new one, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--group", action="append", default=[], help="CS agent, CS lead or Operator; repeatable")
        parser.add_argument("--name", default="", help="given and family name, separated by a space")
        parser.add_argument("--password", default="", help="a random one is made and printed when left out")

    def handle(self, *_args: Any, **options: Any) -> None:
        email, groups = self._checked(options["email"]), self._groups(options["group"])
        given, _, family = options["name"].partition(" ")
        password = options["password"] or secrets.token_urlsafe(18)
        with transaction.atomic():
            user, made = User.objects.get_or_create(email=email, defaults={"given_name": given, "family_name": family})
            before = frozenset() if made else rights.of(user)
            user.is_staff = True
            if made or options["password"]:
                user.set_password(password)
            user.save()
            user.groups.set(groups)
            EmailAddress.objects.update_or_create(user=user, email=email, defaults={"primary": True, "verified": True})
            secret = self._second_factor(user)
            rights.changed(user, before)
        self.stdout.write(f"{email} is staff: {', '.join(group.name for group in groups) or 'no group yet'}.")
        if made and not options["password"]:
            self.stdout.write(f"Password: {password}")
        self.stdout.write(f"TOTP secret: {secret}" if secret else "The second factor stays as it was.")

    def _checked(self, email: str) -> str:
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email} is not an e-mail address.") from None
        return email.lower()

    def _groups(self, names: list[str]) -> list[Group]:
        found = list(Group.objects.filter(name__in=names))
        if missing := set(names) - {group.name for group in found}:
            raise CommandError(f"There is no group {', '.join(sorted(missing))}.")
        return found

    def _second_factor(self, user: User) -> str:
        """The new secret, or nothing when the user has a second factor already."""
        if Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists():
            return ""
        secret: str = generate_totp_secret()
        TOTP.activate(user, secret)
        return secret
