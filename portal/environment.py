"""How settings.py reads the environment: a missing or wrong value stops the process with one sentence that names it."""

import base64
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import environ
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.serialization import load_pem_private_key

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if (BASE_DIR / ".env").is_file():
    environ.Env.read_env(BASE_DIR / ".env")

T = TypeVar("T")
YES, NO = {"true", "yes", "on", "1"}, {"false", "no", "off", "0", ""}
HERE = {"localhost", "127.0.0.1", "::1"}


def stop(sentence: str) -> NoReturn:
    raise SystemExit(f"portal: {sentence}")


def required(name: str) -> str:
    """A value that has no default."""
    return str(env(name)) if env.str(name, default="") else stop(f"{name} is missing. Set it as .env.example shows.")


def checked(name: str, read: Callable[..., T], default: T, rule: str = "", allowed: Callable[[T], bool] = bool) -> T:
    """A value of the type that `read` gives; `rule` is the sentence said when `allowed` refuses it."""
    try:
        value = read(name, default=default)
    except (ValueError, environ.ImproperlyConfigured) as error:
        stop(f"{name} cannot be read: {error}")
    if rule and not allowed(value):
        stop(f"{name} {rule}")
    return value


def switch(name: str, *, default: bool) -> bool:
    """true or false. Anything else stops: a mistyped yes must not count as a no."""
    text = env.str(name, default=str(default)).strip().lower()
    return text in YES if text in YES | NO else stop(f"{name} must be true or false.")


def seconds(name: str, default: int) -> int:
    """A length of time, one second or more."""
    return checked(name, env.int, default, "must be 1 or more.", lambda value: value > 0)


def days(name: str, default: int) -> int:
    """A number of days, one or more."""
    return checked(name, env.int, default, "must be 1 or more.", lambda value: value > 0)


def directory(name: str) -> Path:
    """An absolute path outside of this tree's web root. It need not exist yet."""
    path = Path(required(name))
    if not path.is_absolute():
        stop(f"{name} must be an absolute path.")
    if any(path.resolve().is_relative_to(BASE_DIR / served) for served in ("static", "staticfiles")):
        stop(f"{name} must not lie where the web serves files from.")
    return path


def connection_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """What every PostgreSQL connection is opened with, besides what DATABASE_URL gives.

    Nobody holds locks for ever: neither a frozen process nor one whose machine is gone.
    """
    limits = {
        "idle_in_transaction_session_timeout": seconds("DB_IDLE_TRANSACTION_S", 15) * 1000,
        "lock_timeout": seconds("DB_LOCK_S", 20) * 1000,
        "statement_timeout": seconds("DB_STATEMENT_S", 60) * 1000,
        "tcp_keepalives_idle": 30,
        "tcp_keepalives_interval": 10,
        "tcp_keepalives_count": 3,
    }
    told = [given.get("options", ""), *(f"-c {name}={value}" for name, value in limits.items())]
    ours = {"connect_timeout": 5, "tcp_user_timeout": 30_000}
    ours |= {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
    return {**ours, **given, "options": " ".join(told)}


def address(name: str, value: str, *schemes: str) -> str:
    """`value` if it is an address with a host and one of the schemes, without the slash at its end."""
    parts = urlsplit(value)
    if parts.scheme not in schemes or not parts.hostname:
        stop(f"{name} must begin with {' or '.join(f'{scheme}://' for scheme in schemes)} and name a host.")
    return value.rstrip("/")


def origin(url: str) -> str:
    """Scheme and host of an address, as browsers compare them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_here(url: str) -> bool:
    """Whether an address can only be reached from this machine, or from nowhere (`.test` is reserved for tests)."""
    host = str(urlsplit(url).hostname)
    return host in HERE or host.endswith((".localhost", ".test"))


def readable_file(name: str) -> str:
    """The path of a file this process can read, or empty when none is named."""
    path = str(env.str(name, default=""))
    try:
        if path:
            Path(path).open("rb").close()
    except OSError as error:
        stop(f"{name} cannot be read: {error.strerror}.")
    return path


def fernet_keys(name: str) -> list[str]:
    """One or more Fernet keys, the newest first."""
    keys = [str(key).strip() for key in env.list(name, default=[])]
    if not keys:
        stop(f"{name} is missing. Set it to one or more Fernet keys, the newest first.")
    try:
        for key in keys:
            Fernet(key)
    except ValueError:
        stop(f"{name} must hold Fernet keys: 32 random bytes each, in URL-safe base64.")
    return keys


def private_key(*, private_file: bool) -> str:
    """The JWT key as PEM, from SF_PRIVATE_KEY_PATH or SF_PRIVATE_KEY_BASE64 (security.md §6).

    `private_file`: the file must be its owner's alone.
    """
    path, encoded = env.str("SF_PRIVATE_KEY_PATH", default=""), env.str("SF_PRIVATE_KEY_BASE64", default="")
    if not path and not encoded:
        stop("SF_PRIVATE_KEY_PATH or SF_PRIVATE_KEY_BASE64 is missing. Set one of them to the key of the client app.")
    try:
        pem = Path(path).read_bytes() if path else base64.b64decode(encoded, validate=True)
        load_pem_private_key(pem, password=None)
    except OSError as error:
        stop(f"SF_PRIVATE_KEY_PATH cannot be read: {error.strerror}.")
    except (ValueError, TypeError):
        name = "SF_PRIVATE_KEY_PATH" if path else "SF_PRIVATE_KEY_BASE64"
        stop(f"{name} does not hold an unencrypted PEM private key.")
    if path and private_file and stat.S_IMODE(Path(path).stat().st_mode) & 0o077:
        stop("SF_PRIVATE_KEY_PATH names a file that other users can read. Run chmod 600 on it.")
    return pem.decode()


def wrapping_keys() -> dict[str, bytes]:
    """The keys of identity papers, from IDENTITY_KEYS_PATH (one a line) or IDENTITY_KEYS (separated by commas).

    Each is `name:key` with 32 random bytes in base64; the newest comes first. The file must be its owner's alone.
    """
    path = readable_file("IDENTITY_KEYS_PATH")
    source = "IDENTITY_KEYS_PATH" if path else "IDENTITY_KEYS"
    if path and stat.S_IMODE(Path(path).stat().st_mode) & 0o077:
        stop("IDENTITY_KEYS_PATH names a file that other users can read. Run chmod 600 on it.")
    text = Path(path).read_text() if path else env.str("IDENTITY_KEYS", default="").replace(",", "\n")
    pairs = [line.strip().partition(":") for line in text.splitlines() if line.strip()]
    if not pairs:
        stop("IDENTITY_KEYS_PATH or IDENTITY_KEYS is missing. Set one of them as .env.example shows.")
    if len({name for name, _, _ in pairs}) < len(pairs):
        stop(f"{source} names a key twice.")
    return {_key_name(source, name): _key_bytes(source, encoded) for name, _, encoded in pairs}


def _key_name(source: str, name: str) -> str:
    rule = "must hold name:key pairs, each name made of 1 to 16 letters, digits, - and _."
    return name if re.fullmatch(r"[A-Za-z0-9_-]{1,16}", name) else stop(f"{source} {rule}")


def _key_bytes(source: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded.strip().replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        key = b""
    return key if len(key) == 32 else stop(f"{source} must hold keys of 32 random bytes each, in base64.")
