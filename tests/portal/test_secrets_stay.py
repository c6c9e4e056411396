"""A secret is shown by no representation, no error and no page that says what went wrong (security.md §6)."""

import base64
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import RequestFactory
from django.views.debug import get_exception_reporter_class, technical_500_response

from integrations import gateway
from integrations.salesforce.auth import Login, Token
from portal import clients, views

CANARY = "canary-4f7k2m9q"
SECRETS = {
    "SECRET_KEY": CANARY,
    "FIELD_ENCRYPTION_KEYS": [base64.urlsafe_b64encode(CANARY.encode().ljust(32)).decode()],
    "SF_PRIVATE_KEY": f"-----BEGIN PRIVATE KEY-----{CANARY}",
    "WHMCS_API_IDENTIFIER": CANARY,
    "WHMCS_API_SECRET": CANARY,
    "ESIM_API_KEY": CANARY,
    "HEALTH_TOKEN": CANARY,
    "REDIS_URL": f"redis://portal:{CANARY}@127.0.0.1:6379/0",
    "EMAIL_HOST_PASSWORD": CANARY,
    "ANYMAIL": {"SENDGRID_API_KEY": CANARY},
    "RQ_QUEUES": {"cases": {"URL": f"redis://portal:{CANARY}@127.0.0.1:6379/0"}},
    "EMAIL_URL": f"smtp+tls://user:{CANARY}@mail.example.jp",
}


@pytest.fixture
def secret_settings(settings: Any) -> Iterator[None]:
    for name, value in SECRETS.items():
        setattr(settings, name, value)
    settings.ESIM_API_URL = "https://esim.invalid"
    gateway.forget()
    yield
    gateway.forget()


def inside(thing: object, depth: int = 3) -> Iterator[object]:
    """The thing and what it is made of."""
    yield thing
    if depth and hasattr(thing, "__dict__"):
        for part in vars(thing).values():
            yield from inside(part, depth - 1) if type(part).__module__.startswith(("integrations", "portal")) else ()


@pytest.mark.usefixtures("secret_settings")
@pytest.mark.parametrize("make", [clients.salesforce, clients.whmcs, clients.esim, clients.token_source])
def test_no_client_shows_its_credentials(make: Any) -> None:
    parts = list(inside(make()))
    assert len(parts) > 1
    assert [type(part).__name__ for part in parts if CANARY in repr(part) + str(part)] == []


def test_neither_does_what_a_sign_in_is_made_of() -> None:
    login = Login("https://x", "https://x", "id", "user", CANARY, ["*.salesforce.com"])
    assert CANARY not in repr(login) + repr(Token(CANARY, "https://x", "00D"))


def failing_view(request: Any) -> None:
    raise RuntimeError("something")


@pytest.mark.usefixtures("secret_settings")
@pytest.mark.parametrize("accept", ["text/html", "text/plain"])
def test_the_page_developers_see_masks_the_settings(rf: RequestFactory, settings: Any, accept: str) -> None:
    settings.DEBUG = True
    request = rf.get("/", headers={"accept": accept})
    try:
        failing_view(request)
    except RuntimeError:
        answer = technical_500_response(request, *sys.exc_info())
    page = answer.content.decode()
    assert "RuntimeError" in page
    assert get_exception_reporter_class(request) is not None
    assert CANARY not in page


@pytest.mark.usefixtures("secret_settings")
def test_the_page_everybody_sees_says_a_reference_and_nothing_else(rf: RequestFactory) -> None:
    page = views.server_error(rf.get("/")).content.decode()
    assert CANARY not in page
    assert "Traceback" not in page
