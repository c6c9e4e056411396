"""Tries that must wait longer and longer: for a password from one address, for a code of one user (decisions.md 7).

allauth counts failures by address alone; here they count by what is being guessed as well, so that a patient guesser
comes to one try an hour, while the owner signs in from another address undisturbed.
"""

import math
import time
from dataclasses import dataclass

from django.core.cache import cache
from django.db import connection, transaction
from django.utils.crypto import salted_hmac

FREE_TRIES = 5
FIRST_WAIT_S = 60
LONGEST_WAIT_S = 3600
REMEMBERED_S = 24 * 3600


@dataclass(frozen=True)
class Tries:
    """What is kept: failures so far, and the second (Unix time) before which no other try is looked at."""

    failed: int = 0
    not_before: float = 0.0


class Wait(Exception):
    """Too many tries: `seconds` until the next one is looked at."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"wait {seconds:.0f} s")
        self.minutes = max(1, math.ceil(seconds / 60))


def admit(*what: str) -> None:
    """Counts one try at `what` (such as the kind, the account and the address) as failed, until `forget` is called.

    Counted before the password or code is looked at, one try after the other, so that many at once gain nothing.
    Raises Wait when it comes too early; such a try is not counted. Takes a lock of the database for a moment.
    """
    key, now = _key(what), time.time()
    with transaction.atomic():
        _lock(key)
        tries = Tries(*cache.get(key, ()))
        if tries.not_before > now:
            raise Wait(tries.not_before - now)
        failed = tries.failed + 1
        cache.set(key, (failed, now + wait_s(failed)), REMEMBERED_S)


def forget(*what: str) -> None:
    """The try succeeded, or the owner has shown otherwise who they are. May be repeated."""
    cache.delete(_key(what))


def wait_s(failed: int) -> float:
    """Seconds to wait after so many failures: none for the first few, then doubling up to an hour."""
    if failed < FREE_TRIES:
        return 0.0
    return float(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(failed - FREE_TRIES, 10)))


def _key(what: tuple[str, ...]) -> str:
    """No address and no e-mail is readable in the cache."""
    return f"tries:{salted_hmac('accounts.backoff', chr(0).join(what), algorithm='sha256').hexdigest()}"


def _lock(key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
