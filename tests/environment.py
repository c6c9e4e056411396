"""An environment in which the settings load: throw-away secrets, addresses where nothing listens."""

import base64
import os
import tempfile
from functools import lru_cache

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@lru_cache
def throwaway_key() -> str:
    """An RSA key as base64 of PEM; no system knows its public half."""
    key = generate_private_key(65537, 2048)
    return base64.b64encode(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())).decode()


def placeholders() -> dict[str, str]:
    return {
        "PORTAL_TESTING": "true",
        "PORTAL_HTTPS": "false",
        "SECRET_KEY": "tests-only-" + "x" * 50,
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "IDENTITY_KEYS": f"tests:{base64.b64encode(os.urandom(32)).decode()}",
        "IDENTITY_DIR": os.path.join(os.environ.get("PORTAL_TEST_STATE", tempfile.gettempdir()), "identity"),
        "SITE_URL": "http://portal.test",
        "ALLOWED_HOSTS": "portal.test,testserver,localhost,127.0.0.1",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SF_LOGIN_URL": "https://salesforce.invalid",
        "SF_CLIENT_ID": "consumer-key",
        "SF_USERNAME": "integration@portal.test",
        "SF_PRIVATE_KEY_BASE64": throwaway_key(),
        "WHMCS_API_URL": "https://whmcs.invalid/includes/api.php",
        "WHMCS_API_IDENTIFIER": "identifier",
        "WHMCS_API_SECRET": "secret",
        "WHMCS_PAYMENT_METHOD": "stripe",
        "WHMCS_CUSTOMER_NUMBER_FIELD_ID": "12",
        "LOG_JSON": "true",
        "LEASE_S": "3",
        "SWEEP_S": "1",
        "QUARANTINE_S": "6",
        "DEADLINE_MARGIN_S": "1",
        "COMMIT_RETRY_S": "3",
        "DB_IDLE_TRANSACTION_S": "600",  # many tests are one transaction that waits for other things
    }


def fill() -> None:
    """Sets what the environment does not have yet."""
    for name, value in placeholders().items():
        os.environ.setdefault(name, value)
