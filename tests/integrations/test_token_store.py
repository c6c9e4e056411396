"""The one encrypted row that all processes share, and its lock (decisions.md 31)."""

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection, transaction

from integrations.errors import Misconfigured, Unavailable
from integrations.salesforce.auth import Token
from portal import tokens
from portal.clients import token_source
from portal.models import SalesforceToken
from portal.tokens import DatabaseTokenStore
from tests.environment import throwaway_key
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = Token("00D!secret", "https://org.my.salesforce.com", "00D58000000arpqEAA")


def test_a_token_comes_back_as_it_was_and_is_not_readable_in_between() -> None:
    store = DatabaseTokenStore(made_for="us")
    assert store.load() is None
    store.save(TOKEN)
    store.save(TOKEN)
    assert store.load() == TOKEN
    assert "secret" not in SalesforceToken.objects.get().ciphertext


def test_a_token_of_another_org_or_user_counts_as_none() -> None:
    DatabaseTokenStore(made_for="staging").save(TOKEN)
    assert DatabaseTokenStore(made_for="production").load() is None


@pytest.mark.parametrize("name", ["SF_TOKEN_URL", "SF_AUDIENCE", "SF_CLIENT_ID", "SF_USERNAME", "SF_PRIVATE_KEY"])
def test_a_stored_token_says_nothing_about_settings_it_was_not_made_with(
    sandbox: Sandbox, settings: Any, name: str
) -> None:
    """A wrong key, issuer or audience is noticed at start, not when the token has run out."""
    token_source().token()
    setattr(settings, name, throwaway_pem() if name == "SF_PRIVATE_KEY" else f"{getattr(settings, name)}/wrong")
    with pytest.raises((Misconfigured, Unavailable)):
        token_source().token()


def throwaway_pem() -> str:
    return base64.b64decode(throwaway_key()).decode()


def test_keys_can_be_rotated(settings: Any) -> None:
    store = DatabaseTokenStore(made_for="us")
    store.save(TOKEN)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]
    assert store.load() == TOKEN
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert store.load() is None


def test_a_transaction_is_no_place_for_it() -> None:
    lock = DatabaseTokenStore(made_for="us").lock()
    with transaction.atomic(), pytest.raises(RuntimeError, match="outside of transactions"):
        lock.__enter__()


def test_the_lock_is_one_s_at_a_time_and_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "LOCK_WAIT_S", 0.2)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with DatabaseTokenStore(made_for="us").lock():
            held.set()
            done.wait(20)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        assert held.wait(20)
        lock = DatabaseTokenStore(made_for="us").lock()
        with pytest.raises(Unavailable, match="lock"):
            lock.__enter__()
        done.set()
        holder.result(20)
    with DatabaseTokenStore(made_for="us").lock(), connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


def test_processes_sign_in_once_between_them(sandbox: Sandbox) -> None:
    """Each thread stands for a process: a TokenSource and a database connection of its own."""
    before = max((int(row["number"]) for row in sandbox.ledger()), default=0)
    start = threading.Barrier(4)

    def ask() -> str:
        start.wait()
        try:
            return token_source().token().access_token
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        found = {each.result(30) for each in [pool.submit(ask) for _ in range(4)]}
    assert len(found) == 1
    assert len(sandbox.ledger(system="salesforce", operation="token", after=before)) == 1
