"""Every e-mail once per cause, at least once sent, with nothing in it that does not belong there."""

import smtplib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from notifications import outgoing, secrets, sending
from notifications.models import Email
from notifications.rendering import render

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def outbox(settings: Any) -> Iterator[None]:
    mail.outbox = []
    yield
    mail.outbox = []


def queued(cause: str = "welcome:1", **changes: Any) -> Email:
    values: dict[str, Any] = {
        "template": "welcome",
        "to": "aiko@example.jp",
        "user_id": None,
        "language": "en",
        "context": {"addressee": "Aiko", "customer_number": "104882"},
    }
    return outgoing.queue(cause=cause, **(values | changes))


def code_mail(**changes: Any) -> Email:
    context: dict[str, Any] = {"addressee": "Aiko"}
    return queued("code:1", template="verification_code", context=context, secret={"code": "ABC123"}, **changes)


def again_now(email: Email) -> None:
    Email.objects.filter(pk=email.pk).update(next_try_at=timezone.now(), lease_until=None)


def test_an_email_goes_out_as_text_and_html_with_its_message_id() -> None:
    email = queued()

    assert sending.send(email.pk)

    (message,) = mail.outbox
    assert message.to == ["aiko@example.jp"]
    assert message.subject == "Your Sonix account is ready"
    assert "104\u00a0882" in message.body
    assert "http://portal.test/overview/" in message.body
    assert message.extra_headers["Message-ID"] == email.message_id
    html, kind = message.alternatives[0]  # type: ignore[attr-defined]
    assert kind == "text/html"
    assert 'href="http://portal.test/overview/"' in html
    email.refresh_from_db()
    assert (email.state, email.subject) == ("sent", "Your Sonix account is ready")


def test_one_cause_is_one_email() -> None:
    first, second = queued(), queued(to="other@example.jp")

    assert first.pk == second.pk
    assert Email.objects.get().to == "aiko@example.jp"


def test_a_sent_email_is_not_sent_again() -> None:
    email = queued()
    sending.send(email.pk)

    assert not sending.send(email.pk)
    assert len(mail.outbox) == 1


def test_the_job_that_got_lost_is_made_up_for_by_the_sweep() -> None:
    queued("a")
    queued("b")

    assert sending.send_due() == {"sent": 2}
    assert sending.send_due() == {"sent": 0}


def test_a_worker_that_died_after_sending_leads_to_a_copy_with_the_same_message_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    email = queued()
    with monkeypatch.context() as patch:
        patch.setattr(sending, "transition", _die)
        with pytest.raises(KeyboardInterrupt):
            sending.send(email.pk)
    assert not sending.send(email.pk)  # its lease holds
    again_now(email)

    assert sending.send(email.pk)
    assert {message.extra_headers["Message-ID"] for message in mail.outbox} == {email.message_id}
    assert len(mail.outbox) == 2


def _die(*args: Any, **kwargs: Any) -> None:
    raise KeyboardInterrupt


def test_secrets_wait_encrypted_and_are_gone_once_sent() -> None:
    email = code_mail()
    assert "ABC123" not in email.secret_context
    assert "ABC123" not in str(email.context)

    sending.send(email.pk)

    email.refresh_from_db()
    assert email.secret_context == ""
    assert "ABC123" in mail.outbox[0].body


def test_staff_cannot_read_or_resend_a_code() -> None:
    email = code_mail()
    assert "ABC123" not in render(email, with_secret=False).text
    sending.send(email.pk)

    with pytest.raises(sending.CannotResend):
        sending.resend(email.pk)


def test_staff_can_send_another_copy() -> None:
    email = queued()
    sending.send(email.pk)

    sending.resend(email.pk)

    assert sending.send(email.pk)
    assert len(mail.outbox) == 2


def test_a_refused_connection_backs_off_and_says_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    email = queued()
    refused = smtplib.SMTPRecipientsRefused({"aiko@example.jp": (451, b"later")})
    monkeypatch.setattr(EmailBackend, "send_messages", _raising(refused))

    assert not sending.send(email.pk)

    email.refresh_from_db()
    assert (email.state, email.last_error) == ("pending", "SMTPRecipientsRefused")
    assert email.next_try_at > timezone.now()


def test_after_twelve_tries_it_is_given_up_and_staff_may_start_over(monkeypatch: pytest.MonkeyPatch) -> None:
    email = queued()
    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", _raising(ConnectionRefusedError()))
        for _ in range(sending.GIVE_UP_AFTER):
            again_now(email)
            sending.send(email.pk)
    email.refresh_from_db()
    assert email.state == "failed"

    sending.resend(email.pk)

    assert sending.send(email.pk)


def _raising(error: Exception) -> Any:
    def send_messages(self: EmailBackend, messages: Any) -> int:
        raise error

    return send_messages


@pytest.mark.parametrize("to", ["aiko@example.jp\nBcc: eve@example.jp", "aiko", "a@b.jp\r\n", ""])
def test_an_address_that_would_break_the_header_is_refused(to: str) -> None:
    with pytest.raises(ValidationError):
        queued(to=to)


def test_a_subject_that_would_break_the_header_is_never_sent(settings: Any) -> None:
    settings.BRAND_NAME = "Sonix\nBcc: eve@example.jp"
    email = queued()

    assert not sending.send(email.pk)

    email.refresh_from_db()
    assert (email.state, email.last_error) == ("failed", "Unsendable")
    assert mail.outbox == []


def test_markup_in_a_name_stays_text() -> None:
    email = queued(context={"addressee": "<script>Aiko & Co", "customer_number": "1"})

    rendered = render(email)

    assert "<script>" not in rendered.html
    assert "<script>Aiko & Co" in rendered.text


@pytest.mark.parametrize(
    "template", ["welcome", "verification_code", "password_reset", "unknown_account", "account_exists"]
)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_template_renders_in_both_languages(template: str, language: str) -> None:
    secret = {"code": "ABC123", "path": "/account/password/reset/key/x/"}
    email = queued(template=template, language=language, secret=secret)

    rendered = render(email)

    assert rendered.subject
    assert f'lang="{language}"' in rendered.html
    for wanted in {"verification_code": ["ABC123"], "password_reset": ["http://portal.test" + secret["path"]]}.get(
        template, []
    ):
        assert wanted in rendered.text
        assert wanted in rendered.html


def test_another_key_reads_what_the_older_one_sealed(settings: Any) -> None:
    from cryptography.fernet import Fernet

    sealed = secrets.seal({"code": "ABC123"})
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]

    assert secrets.unseal(sealed) == {"code": "ABC123"}


def test_an_email_whose_key_is_lost_is_given_up(settings: Any) -> None:
    from cryptography.fernet import Fernet

    email = code_mail()
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    assert not sending.send(email.pk)
    email.refresh_from_db()
    assert email.state == "failed"


def test_back_off_grows_to_two_hours() -> None:
    assert sending.back_off(1) == timedelta(seconds=15)
    assert sending.back_off(2) == timedelta(seconds=30)
    assert sending.back_off(30) == timedelta(hours=2)
