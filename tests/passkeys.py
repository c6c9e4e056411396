"""Passkeys as a browser registers them, without the browser: real keys in the shape of WebAuthn, level 2."""

import hashlib
import secrets

from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from accounts.models import User

Flag = AuthenticatorData.FLAG


def make_passkey(user: User, name: str = "My phone") -> Authenticator:
    """A passkey of `user`'s that signs in by itself."""
    data = {"name": name, "credential": _credential()}
    return Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data)


def _credential() -> dict[str, object]:
    key_id = secrets.token_bytes(16)
    public = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())  # type: ignore[no-untyped-call]
    attested = AttestedCredentialData.create(bytes(16), key_id, public)
    site = hashlib.sha256(b"portal.test").digest()
    seen = AuthenticatorData.create(site, Flag.UP | Flag.UV | Flag.AT, 0, bytes(attested))
    client = CollectedClientData.create("webauthn.create", secrets.token_bytes(32), "http://portal.test")
    attestation = websafe_encode(bytes(AttestationObject.create("none", seen, {})))
    return {
        "id": websafe_encode(key_id),
        "rawId": websafe_encode(key_id),
        "type": "public-key",
        "response": {"clientDataJSON": client.b64, "attestationObject": attestation},
        "clientExtensionResults": {"credProps": {"rk": True}},
    }
