"""What an e-mail may say only once (codes, links that sign in), encrypted while it waits."""

import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


@lru_cache
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(values: dict[str, Any]) -> str:
    """`values` (JSON-able) as encrypted text, under the newest of FIELD_ENCRYPTION_KEYS."""
    return _cipher(tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(json.dumps(values).encode()).decode()


def unseal(text: str) -> dict[str, Any]:
    """The values that `seal` was given; an empty text gives none.

    Raises cryptography's InvalidToken when no current key fits.
    """
    if not text:
        return {}
    values: dict[str, Any] = json.loads(_cipher(tuple(settings.FIELD_ENCRYPTION_KEYS)).decrypt(text.encode()))
    return values
