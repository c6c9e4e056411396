"""What goes wrong with mail, on the wire."""

import itertools
import smtplib
import threading

import pytest

from tests.faults import Faults
from tests.sandbox.faults.clients import send_mail
from tests.sandbox_process import Sandbox
from tests.waiting import until

_subjects = itertools.count(1)


@pytest.fixture
def subject() -> str:
    return f"mail-{next(_subjects)}"


@pytest.fixture
def post(sandbox_process: Sandbox) -> Sandbox:
    return sandbox_process


def kept(post: Sandbox, subject: str) -> int:
    found = post.get("/control/mail", to="aiko@example.jp")["messages"]
    return sum(each["subject"] == subject for each in found)


@pytest.mark.parametrize(
    ("operation", "raised"),
    [
        ("HELO", smtplib.SMTPHeloError),
        ("MAIL", smtplib.SMTPSenderRefused),
        ("RCPT", smtplib.SMTPRecipientsRefused),
        ("message.accept", smtplib.SMTPDataError),
    ],
)
@pytest.mark.parametrize("code", [451, 554])
def test_the_server_refuses_at_each_step(
    post: Sandbox, faults: Faults, subject: str, operation: str, raised: type[smtplib.SMTPException], code: int
) -> None:
    rule = faults.smtp_refuses(code, operation, times=2 if operation == "HELO" else 1)  # EHLO, then HELO
    with pytest.raises(raised) as refused:
        send_mail(post, subject)
    assert str(code) in str(refused.value)
    assert kept(post, subject) == 0
    (act, *_) = post.ledger(system="faults", operation="smtp_reply", key=rule.id)
    assert act["detail"]["operation"] == operation
    send_mail(post, subject)
    assert kept(post, subject) == 1


@pytest.mark.parametrize("reset", [False, True])
def test_a_message_is_kept_and_its_sender_never_hears_of_it(
    post: Sandbox, faults: Faults, subject: str, reset: bool
) -> None:
    rule = faults.lose_answer("mail", "message.accept", reset=reset)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
        send_mail(post, subject)
    assert (rule.acted, kept(post, subject)) == (1, 1)
    (act,) = post.ledger(system="faults", operation="drop", key=rule.id)
    assert act["correlation_id"] == f"mail-{subject}"


def test_the_connection_ends_before_a_message_is_kept(post: Sandbox, faults: Faults, subject: str) -> None:
    faults.lose_request("mail", "message.accept")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send_mail(post, subject)
    assert kept(post, subject) == 0


def test_a_connection_is_broken_before_a_word(post: Sandbox, faults: Faults, subject: str) -> None:
    rule = faults.refuse("mail")
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
        send_mail(post, subject)
    send_mail(post, subject)
    assert rule.acted == 1


def test_nobody_listens(post: Sandbox, faults: Faults, subject: str) -> None:
    rule = faults.close_port("mail")
    with pytest.raises(ConnectionRefusedError):
        send_mail(post, subject)
    rule.remove()
    send_mail(post, subject)
    assert kept(post, subject) == 1


def test_a_message_stands_still_at_the_door(post: Sandbox, faults: Faults, subject: str) -> None:
    sender = threading.Thread(target=send_mail, args=(post, subject))
    with faults.hold("mail", "message.accept", contains=f"Subject: {subject}") as held:
        sender.start()
        held.arrived()
        assert kept(post, subject) == 0
        held.release()
        sender.join(15)
    assert kept(post, subject) == 1


def test_a_message_its_sender_gave_up_is_kept_all_the_same(post: Sandbox, faults: Faults, subject: str) -> None:
    with faults.hold("mail", "message.accept") as held:
        with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
            send_mail(post, subject, timeout=2)
        held.arrived()
        assert kept(post, subject) == 0
        held.release()
        until(lambda: kept(post, subject), what="the message that nobody waits for")


def test_a_slow_server_keeps_the_message_in_the_end(post: Sandbox, faults: Faults, subject: str) -> None:
    rule = faults.slow("mail", "RCPT", ms=1, key="aiko@example.jp")
    send_mail(post, subject)
    assert (rule.acted, kept(post, subject)) == (1, 1)
