"""The Salesforce token of all processes: one encrypted row, and a lock for the one who signs in (decisions.md 31)."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from integrations.errors import Unavailable
from integrations.salesforce.auth import Token
from portal.models import SalesforceToken

LOCK_KEY = 7203_0001  # of PostgreSQL's advisory locks; no other lock of ours has this number
LOCK_WAIT_S = 12  # a little longer than one sign-in may take


class DatabaseTokenStore:
    """A TokenStore in PostgreSQL. Works outside of transactions only: a token saved inside one would be invisible.

    `made_for` names who signed in where and how (it is kept as a hash); a token made for anything else counts as none.
    """

    def __init__(self, *, made_for: str) -> None:
        self._made_for = hashlib.sha256(made_for.encode()).hexdigest()

    def load(self) -> Token | None:
        """The stored token, or None when there is none, it was made for something else, or our keys do not open it."""
        row = SalesforceToken.objects.filter(pk=1).first()
        if row is None:
            return None
        try:
            facts = json.loads(_cipher().decrypt(row.ciphertext.encode()))
        except InvalidToken:
            return None
        return Token(**facts["token"]) if facts["made_for"] == self._made_for else None

    def save(self, token: Token) -> None:
        """Replaces the row."""
        facts = json.dumps({"made_for": self._made_for, "token": asdict(token)})
        values = {"ciphertext": _cipher().encrypt(facts.encode()).decode(), "obtained_at": timezone.now()}
        SalesforceToken.objects.update_or_create(pk=1, defaults=values)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """A session-level advisory lock; a crash releases it. Unavailable after LOCK_WAIT_S seconds of waiting."""
        if connection.in_atomic_block:
            raise RuntimeError("a Salesforce token is fetched outside of transactions only")
        self._take()
        try:
            yield
        finally:
            _run("SELECT pg_advisory_unlock(%s)", LOCK_KEY)

    def _take(self) -> None:
        _run("SELECT set_config('lock_timeout', %s, false)", f"{LOCK_WAIT_S}s")
        try:
            _run("SELECT pg_advisory_lock(%s)", LOCK_KEY)
        except OperationalError as error:
            raise Unavailable("salesforce", "token", "lock", "Another process is signing in for too long.") from error
        finally:
            _run("SELECT set_config('lock_timeout', '0', false)")


def _run(sql: str, *parameters: str | int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])
