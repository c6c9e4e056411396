"""Passwords of users, kept as salted hashes."""

import hashlib
import hmac
import secrets

# Cheap on purpose: many tests make clients, and a sandbox guards nothing.
_COST = {"n": 2**8, "r": 8, "p": 1}


def hashed(password: str) -> str:
    """What is kept of a password: salt and hash, in hex."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_hash(password, salt).hex()}"


def matches(password: str, kept: str) -> bool:
    """Whether this is the password; a user without one has none that matches."""
    salt, _, expected = kept.partition("$")
    return bool(expected) and hmac.compare_digest(_hash(password, bytes.fromhex(salt)), bytes.fromhex(expected))


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)
