"""Settings stop with one sentence that names what is missing or wrong; `.env.example` knows every name."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import placeholders

ROOT = Path(__file__).resolve().parents[2]
NAMES = re.compile(
    r"""(?:required|checked|switch|seconds|days|directory|readable_file|fernet_keys|env\.\w+)\(\s*"([A-Z0-9_]+)\""""
)
OURS_ALONE = {"FAILPOINTS", "PORTAL_TESTING"}  # set by the tests themselves, never by an operator


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import base64

    path = tmp_path_factory.mktemp("key") / "salesforce.key"
    path.write_bytes(base64.b64decode(placeholders()["SF_PRIVATE_KEY_BASE64"]))
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def production(key_file: Path) -> dict[str, str]:
    """An environment as an operator would write it; nothing of the machine's own leaks in."""
    values = placeholders() | {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "kT7-".join("qX9w2LmZ8rVb" * 6),
        "SITE_URL": "https://portal.example.jp",
        "ALLOWED_HOSTS": "portal.example.jp",
        "DATABASE_URL": "postgresql://portal:secret@127.0.0.1:5432/portal",
        "REDIS_URL": "redis://127.0.0.1:6379/0",
        "EMAIL_URL": "smtp+tls://user:password@mail.example.jp:587",
        "SF_PRIVATE_KEY_PATH": str(key_file),
    }
    for name in ("PORTAL_TESTING", "PORTAL_HTTPS", "SF_PRIVATE_KEY_BASE64"):
        del values[name]
    return values


def run(values: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", *arguments]
    return subprocess.run(command, cwd=ROOT, env=values, capture_output=True, text=True, timeout=60, check=False)


def test_a_deployment_passes_djangos_own_check(production: dict[str, str]) -> None:
    answer = run(production | {"BEHIND_PROXY": "true"}, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("hosts", ["localhost", "*.salesforce.com,*.evil.example", "evilsalesforce.com"])
def test_a_deployment_trusts_no_other_hosts_with_its_token(production: dict[str, str], hosts: str) -> None:
    answer = run(production | {"SF_INSTANCE_HOSTS": hosts}, "manage.py", "check", "--deploy")
    assert answer.returncode == 1
    assert "SF_INSTANCE_HOSTS names hosts" in answer.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "") for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "SITE_URL", "DATABASE_URL", "REDIS_URL")),
        *((name, "") for name in ("SF_CLIENT_ID", "SF_USERNAME", "SF_PRIVATE_KEY_PATH", "WHMCS_API_URL")),
        *((name, "") for name in ("WHMCS_API_IDENTIFIER", "WHMCS_API_SECRET", "WHMCS_PAYMENT_METHOD")),
        *((name, "") for name in ("IDENTITY_DIR", "IDENTITY_KEYS")),
        ("IDENTITY_DIR", "papers"),
        ("IDENTITY_DIR", str(ROOT / "static/papers")),
        ("IDENTITY_KEYS", "new:c2hvcnQ="),
        ("IDENTITY_KEYS", f"new key:{'A' * 43}="),
        ("IDENTITY_KEYS", f"new:{'A' * 43}=,new:{'B' * 43}="),
        ("IDENTITY_KEYS_PATH", "/no/such/file"),
        ("IDENTITY_KEEP_DAYS", "0"),
        ("MAILS_KEEP_DAYS", "0"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "change-me" * 10),
        ("FIELD_ENCRYPTION_KEYS", "not-a-key"),
        ("SITE_URL", "http://portal.example.jp"),
        ("SITE_URL", "https://"),
        ("SITE_URL", "portal.example.jp"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", ".example.jp"),
        ("DATABASE_URL", "sqlite:///portal.db"),
        ("DATABASE_URL", "nonsense"),
        ("REDIS_URL", "http://127.0.0.1"),
        ("DEBUG", "true"),
        ("DEBUG", "perhaps"),
        ("PORTAL_DEMO", "true"),
        ("PORTAL_TESTING", "true"),
        ("PORTAL_HTTPS", "false"),
        ("BEHIND_PROXY", "nginx"),
        ("EMAIL_URL", "pigeon://loft"),
        ("LOG_LEVEL", "LOUD"),
        ("ORDER_NUMBER_PREFIX", "sx"),
        ("ORDER_NUMBER_PREFIX", "日本"),
        ("SF_LOGIN_URL", "http://login.salesforce.com"),
        ("SF_TOKEN_URL", "http://login.salesforce.com/token"),
        ("SF_CA_BUNDLE", "/no/such/file"),
        ("SF_PRIVATE_KEY_PATH", "/no/such/file"),
        ("SF_PRIVATE_KEY_PATH", str(ROOT / "pyproject.toml")),
        ("SF_EVENTS_REPLAY", "EARLIEST"),
        ("SF_ACCOUNT_NO_SOURCE", "whmcs"),
        ("WHMCS_API_URL", "http://billing.example.jp/includes/api.php"),
        ("WHMCS_SSO_ORIGINS", "http://billing.example.jp"),
        ("WHMCS_CA_BUNDLE", "/no/such/file"),
        ("WHMCS_CUSTOMER_NUMBER_FIELD_ID", "twelve"),
        ("WHMCS_CUSTOMER_NUMBER_FIELD_ID", "0"),
        ("WHMCS_TIME_ZONE", "Edo"),
        ("WHMCS_MARK_CARRIER", "pigeon"),
        ("WHMCS_MARK_FIELDS", "[1]"),
        ("LEASE_S", "0"),
        ("SWEEP_S", "soon"),
    ],
)
def test_what_is_missing_or_wrong_is_said_in_one_sentence(production: dict[str, str], name: str, value: str) -> None:
    answer = run(production | {name: value}, "-c", "import portal.settings")
    assert answer.returncode == 1
    (sentence,) = answer.stderr.splitlines()
    assert sentence.startswith("portal: ")
    assert name in sentence
    assert sentence.endswith((".", "'"))


def test_a_key_others_can_read_stops_production_only(production: dict[str, str], key_file: Path) -> None:
    key_file.chmod(0o640)
    try:
        assert "SF_PRIVATE_KEY_PATH" in run(production, "-c", "import portal.settings").stderr
        here = production | {"DEBUG": "true", "SITE_URL": "http://localhost:8000", "PORTAL_HTTPS": "false"}
        assert run(here, "-c", "import portal.settings").returncode == 0
    finally:
        key_file.chmod(0o600)


def test_keys_of_papers_others_can_read_stop_every_start(production: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "identity.keys"
    file.write_text(f"new:{'A' * 43}=\nold:{'B' * 43}=\n")
    with_file = production | {"IDENTITY_KEYS_PATH": str(file), "IDENTITY_KEYS": ""}
    show = "from portal import settings as s; print(list(s.IDENTITY_KEYS))"
    file.chmod(0o600)
    assert run(with_file, "-c", show).stdout.strip() == "['new', 'old']"
    file.chmod(0o640)
    assert "IDENTITY_KEYS_PATH names a file that other users can read" in run(with_file, "-c", show).stderr


def test_a_key_in_base64_that_is_none_is_named(production: dict[str, str]) -> None:
    broken = production | {"SF_PRIVATE_KEY_PATH": "", "SF_PRIVATE_KEY_BASE64": "bm90IGEga2V5"}
    assert "SF_PRIVATE_KEY_BASE64 does not hold" in run(broken, "-c", "import portal.settings").stderr


def test_the_payment_page_may_be_reached_without_naming_its_origin(production: dict[str, str]) -> None:
    show = "from portal import settings as s; print(s.WHMCS_SSO_ORIGINS, s.CONTENT_SECURITY_POLICY['DIRECTIVES'])"
    shown = run(production | {"WHMCS_API_URL": "https://billing.example.jp/includes/api.php"}, "-c", show).stdout
    assert shown.startswith("['https://billing.example.jp']")
    assert "'form-action': [\"'self'\", 'https://billing.example.jp']" in shown


def test_the_example_lists_exactly_the_names_that_are_read() -> None:
    readers = [*(ROOT / "portal").glob("*settings.py"), ROOT / "portal/environment.py"]
    sources = "".join(path.read_text() for path in readers)
    example = set(re.findall(r"^#? ?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert example == set(NAMES.findall(sources)) - OURS_ALONE


def test_nothing_else_reads_the_environment() -> None:
    ours = (
        "accounts",
        "audit",
        "catalog",
        "integrations",
        "journal",
        "notifications",
        "orders",
        "portal",
        "provisioning",
    )
    readers = {
        str(path.relative_to(ROOT))
        for app in (*ours, "subscriptions", "support")
        for path in (ROOT / app).rglob("*.py")
        if re.search(r"os\.environ\b(?!\.setdefault)|getenv", path.read_text())
    }
    assert readers <= {"provisioning/sdnotify.py"}, "NOTIFY_SOCKET is systemd's own"


HARD: dict[str, object] = {
    "DEBUG": False,
    "SECURE_SSL_REDIRECT": True,
    "SECURE_HSTS_SECONDS": 365 * 24 * 3600,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "SECURE_CONTENT_TYPE_NOSNIFF": True,
    "SECURE_CROSS_ORIGIN_OPENER_POLICY": "same-origin",
    "X_FRAME_OPTIONS": "DENY",
    "USE_X_FORWARDED_HOST": False,
    "USE_X_FORWARDED_PORT": False,
    "SECURE_PROXY_SSL_HEADER": None,  # without BEHIND_PROXY
    "SESSION_COOKIE_NAME": "__Host-sessionid",
    "CSRF_COOKIE_NAME": "__Host-csrftoken",
    "LANGUAGE_COOKIE_NAME": "__Host-language",
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "LANGUAGE_COOKIE_SECURE": True,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_DOMAIN": None,
    "SESSION_SERIALIZER": "django.contrib.sessions.serializers.JSONSerializer",
    "SECRET_KEY_FALLBACKS": ["an-older-key"],
    "DATA_UPLOAD_MAX_NUMBER_FIELDS": 200,
    "FAILPOINTS": "",
}


def test_a_deployment_is_as_hard_as_the_papers_say(production: dict[str, str]) -> None:
    show = (
        "import json, django; from django.conf import settings as s;"
        f"print(json.dumps({{name: getattr(s, name) for name in {sorted(HARD)}}}, default=str))"
    )
    values = production | {"DJANGO_SETTINGS_MODULE": "portal.settings", "SECRET_KEY_FALLBACKS": "an-older-key"}
    shown = run(values | {"FAILPOINTS": "whmcs.AddOrder:after=kill"}, "-c", show)
    assert json.loads(shown.stdout or "{}") == HARD, shown.stderr


def test_jobs_are_read_as_json_and_never_unpickled(production: dict[str, str]) -> None:
    show = "from portal import settings as s; print({q['SERIALIZER'] for q in s.RQ_QUEUES.values()})"
    assert run(production, "-c", show).stdout.strip() == "{'rq.serializers.JSONSerializer'}"


@pytest.mark.parametrize(("behind", "count"), [("true", "1"), ("false", "0")])
def test_an_address_from_the_proxy_counts_only_behind_one(production: dict[str, str], behind: str, count: str) -> None:
    """Over a Unix socket nobody could sign in otherwise: the server itself knows no address of the visitor."""
    show = "from portal import settings as s; print(s.ALLAUTH_TRUSTED_PROXY_COUNT)"
    assert run(production | {"BEHIND_PROXY": behind}, "-c", show).stdout.strip() == count
