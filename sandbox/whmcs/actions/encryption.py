"""EncryptPassword and DecryptPassword: reversible, and never twice the same."""

import base64
import binascii
import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sandbox.whmcs.answers import Answer
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text

_NONCE = 12


def encrypt_password(whmcs: Whmcs, form: PhpArray) -> Answer:
    """`password2` in a form that DecryptPassword of this installation turns back."""
    nonce = secrets.token_bytes(_NONCE)
    secret = _cipher(whmcs).encrypt(nonce, text(form.get("password2")).encode(), None)
    return Answer({"password": base64.b64encode(nonce + secret).decode()})


def decrypt_password(whmcs: Whmcs, form: PhpArray) -> Answer:
    """What was encrypted; an empty text for anything else, since no error is documented."""
    try:
        raw = base64.b64decode(text(form.get("password2")), validate=True)
        plain = _cipher(whmcs).decrypt(raw[:_NONCE], raw[_NONCE:], None).decode()
    except (binascii.Error, ValueError, InvalidTag):
        plain = ""
    return Answer({"password": plain})


def _cipher(whmcs: Whmcs) -> AESGCM:
    return AESGCM(hashlib.sha256(whmcs.settings.cc_encryption_hash.encode()).digest())
