"""A passkey as a browser registers one (WebAuthn, without an attestation)."""

import hashlib
import os
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

FLAGS = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT


def passkey(name: str, host: str = "testserver") -> dict[str, Any]:
    """What allauth keeps of it in Authenticator.data."""
    key_id = os.urandom(16)
    public = ES256.from_cryptography_key(generate_private_key(SECP256R1()).public_key())  # type: ignore[no-untyped-call]
    credential = AttestedCredentialData.create(Aaguid(bytes(16)), key_id, public)
    told = AuthenticatorData.create(hashlib.sha256(host.encode()).digest(), FLAGS, 0, credential)
    client = CollectedClientData.create(CollectedClientData.TYPE.CREATE, b"challenge", f"https://{host}")
    response = {
        "clientDataJSON": websafe_encode(client),
        "attestationObject": websafe_encode(AttestationObject.create("none", told, {})),
    }
    kept = {"id": websafe_encode(key_id), "rawId": websafe_encode(key_id), "type": "public-key", "response": response}
    return {"name": name, "passwordless": True, "credential": {**kept, "clientExtensionResults": {}}}
