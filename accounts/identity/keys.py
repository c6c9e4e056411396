"""Each paper has a key of its own; that key is kept wrapped under a key-encryption key of the settings.

AES-256-GCM both times. What is bound to it as associated data is the document's UUID (and, for the wrapped key, the
name of the key that wraps it): bytes moved from one row or file to another open nothing.
"""

import os
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE = 12  # bytes, random for each encryption (NIST SP 800-38D §8.2.2)


class CannotOpen(Exception):
    """The bytes are not what was kept, or the key that wraps theirs is not among the settings'."""


@dataclass(frozen=True)
class WrappedKey:
    """A file's key as the row keeps it: the name of the key-encryption key, and the bytes."""

    key_id: str
    wrapped: bytes


def newest() -> str:
    """The name of the key-encryption key that wraps what is new."""
    return next(iter(settings.IDENTITY_KEYS))


def make_key() -> bytes:
    """32 random bytes."""
    return AESGCM.generate_key(bit_length=256)


def wrap(document: UUID, key: bytes) -> WrappedKey:
    """`key` under the newest key-encryption key, good for this document only."""
    key_id = newest()
    return WrappedKey(key_id, _seal(settings.IDENTITY_KEYS[key_id], key, _bound(document, f"key:{key_id}")))


def unwrap(document: UUID, kept: WrappedKey) -> bytes:
    """The key again. Raises CannotOpen when its key-encryption key is gone, or it was tampered with or moved."""
    wrapping = settings.IDENTITY_KEYS.get(kept.key_id)
    if wrapping is None:
        raise CannotOpen(f"the key {kept.key_id} is not among IDENTITY_KEYS")
    return _open(wrapping, kept.wrapped, _bound(document, f"key:{kept.key_id}"))


def encrypt(document: UUID, key: bytes, plain: bytes) -> bytes:
    """`plain` under the document's key; the nonce comes first."""
    return _seal(key, plain, _bound(document, "file"))


def decrypt(document: UUID, key: bytes, sealed: bytes) -> bytes:
    """What was encrypted. Raises CannotOpen when a bit of it differs or it is another document's."""
    return _open(key, sealed, _bound(document, "file"))


def _bound(document: UUID, what: str) -> bytes:
    return f"identity-{what}:{document}".encode()


def _seal(key: bytes, plain: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound)


def _open(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], bound)
    except (InvalidTag, ValueError) as error:
        raise CannotOpen("the bytes were changed, cut off or belong to something else") from error
