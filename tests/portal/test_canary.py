"""A person who cannot be mistaken for anybody signs up and orders, on the wire: what is left of them, and where."""

import json
import logging
import re
from io import StringIO
from typing import Any, cast

import django_rq
import pytest
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from structlog.stdlib import ProcessorFormatter

from accounts import jobs as accounts_jobs
from accounts.links import linked
from accounts.models import SignupJourney, User
from catalog.sync import sync
from notifications import secrets, sending
from notifications.models import Email
from orders.models import Order
from tests.orders.steps import VPN, lives, review_form
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL, PASSWORD = "zanzibar.canary@example.jp", "Quokkas sing at 4 in the morning"
NAMES = {"given_name": "Quetzalina", "family_name": "O'Zyzzyva"}


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that is said to Redis, as it is said."""
    said: list[str] = []
    connection = type(django_rq.get_connection("housekeeping").connection_pool.get_connection())
    send = connection.send_packed_command

    def listening(self: Any, command: Any, *rest: Any, **more: Any) -> Any:
        said.append(repr(command))
        return send(self, command, *rest, **more)

    monkeypatch.setattr(connection, "send_packed_command", listening)
    return said


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What the portal's own handler writes, line by line."""
    (ours,) = [each for each in logging.getLogger().handlers if isinstance(each.formatter, ProcessorFormatter)]
    assert isinstance(ours, logging.StreamHandler)
    monkeypatch.setattr(ours, "stream", StringIO())
    return cast("StringIO", ours.stream)


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    """The cache's table outlives a test, and a code goes to one address once in three minutes."""
    cache.clear()


def sign_up(browser: Client, email: str = EMAIL) -> str:
    form = {"source": "new", "number": "", "email": email, "password1": PASSWORD, "terms": "on", **NAMES}
    browser.post(reverse("account_signup"), form)
    code = str(secrets.unseal(Email.objects.get(template="verification_code").secret_context)["code"])
    sending.send_due()
    browser.post(reverse("account_email_verification_sent"), {"code": code})
    accounts_jobs.advance_due()
    assert SignupJourney.objects.get().state == SignupJourney.State.DONE
    return code


def order(browser: Client, sandbox: Sandbox) -> Order:
    link = linked(User.objects.get())
    assert link is not None
    lives(User.objects.get())
    browser.post("/cart/add/", VPN)
    browser.get("/checkout/")
    sandbox.control(f"/control/whmcs/clients/{link.whmcs_client_id}/paymethods")
    browser.post("/checkout/review/", review_form(browser))
    return Order.objects.get(local_state=Order.Local.PLACED)


def reset_password(browser: Client, email: str = EMAIL) -> str:
    browser.post(reverse("account_reset_password"), {"email": email})
    waiting = Email.objects.get(template="password_reset")
    path = str(secrets.unseal(waiting.secret_context)["path"])
    sending.send_due()
    browser.get(path, follow=True)
    return path


def test_nothing_of_the_person_is_in_logs_or_redis_and_no_secret_stays(
    sandbox: Sandbox, visitor: Client, heard: list[str], logged: StringIO
) -> None:
    sync()
    code = sign_up(visitor)
    order(visitor, sandbox)
    visitor.get(f"/no-such-page/{EMAIL}/")
    Client(enforce_csrf_checks=True).post(f"/language/?{EMAIL}")
    sso = visitor.post(reverse("payment_sso"))["Location"]
    visitor.post(reverse("account_logout"))
    reset = reset_password(Client())
    sending.send_due()

    lines = logged.getvalue().splitlines()
    assert {"journey_moved", "remote call", "email_sent"} <= {json.loads(line)["event"] for line in lines}
    canaries = [EMAIL, "zanzibar", PASSWORD, *NAMES.values(), reset, reset.split("-", 1)[1].strip("/")]
    canaries += [sso, sso.rpartition("=")[2]]
    for place, text in (("log", "\n".join(lines)), ("redis", "\n".join(heard))):
        assert [each for each in [*canaries, f'"{code}"', f" {code}"] if each in text] == [], place
    assert heard

    assert not Email.objects.exclude(secret_context="").exists(), "codes and links are gone once sent"
    assert all(code not in json.dumps(email.context) + email.subject for email in Email.objects.all())


def test_every_link_in_an_email_leads_to_our_own_address(sandbox: Sandbox, visitor: Client, settings: Any) -> None:
    settings.SITE_URL = "https://portal.example.jp"
    settings.ALLOWED_HOSTS = ["*"]  # the worst a deployment could do
    visitor = Client(headers={"host": "evil.example", "X-Forwarded-Host": "evil.example"})
    sync()
    sign_up(visitor, "linked@example.jp")
    order(visitor, sandbox)
    reset_password(visitor, "linked@example.jp")
    sending.send_due()

    templates = {email.template for email in Email.objects.all()}
    assert templates == {"verification_code", "welcome", "order_received", "password_reset"}
    assert len(mail.outbox) == len(templates)
    for message in cast("list[EmailMultiAlternatives]", mail.outbox):
        said = message.message().as_string() + str(message.body) + str(message.alternatives)
        assert "evil" not in said
        links = re.findall(r"https?://[^\s\"'<>)\\]+", str(message.body) + str(message.alternatives))
        assert all(link.startswith("https://portal.example.jp") for link in links), links
