"""The mail sink: what is sent arrives, is kept as it came, and can be read by people and programs."""

import asyncio
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from sandbox import people
from sandbox.config import Config
from sandbox.mail import smtp
from sandbox.mail.mailbox import Mailbox
from sandbox.servers import PortTaken
from sandbox.world import World
from tests.sandbox.whmcs.asgi import Browser, words


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(Config(state=tmp_path, smtp_port=0))
    yield opened
    opened.close()


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(people.app(world))


def letter(to: str = "aiko@example.jp", subject: str = "開通のお知らせ") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Sonix <hello@sonix.example>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = "<one@sonix.example>"
    message["X-Correlation-ID"] = "c-7"
    message.set_content("こんにちは、愛子さん。\n\nXYZ-123\n")
    message.add_alternative("<h1>開通しました</h1><script>alert(1)</script>", subtype="html")
    return message


def receive(mailbox: Mailbox, message: EmailMessage) -> int:
    return mailbox.receive("hello@sonix.example", [message["To"]], message.as_bytes()).number


def test_a_message_sent_by_smtp_is_kept_byte_for_byte(world: World) -> None:
    raw = letter().as_bytes(policy=SMTP)

    async def deliver() -> None:
        server = smtp.SmtpServer(world.mailbox, world.faults)
        await server.start("127.0.0.1", 0)
        try:
            await asyncio.to_thread(_send, server.port, raw)
        finally:
            await server.stop()

    asyncio.run(deliver())
    (kept,) = world.mailbox.newest_first()
    assert (kept.sender, kept.recipients) == ("hello@sonix.example", ("aiko@example.jp",))
    assert (kept.subject, kept.raw) == ("開通のお知らせ", raw)


def _send(port: int, raw: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("hello@sonix.example", ["aiko@example.jp"], raw)


def test_a_taken_port_is_said(world: World) -> None:
    async def twice() -> None:
        first, second = smtp.SmtpServer(world.mailbox, world.faults), smtp.SmtpServer(world.mailbox, world.faults)
        await first.start("127.0.0.1", 0)
        try:
            with pytest.raises(PortTaken):
                await second.start("127.0.0.1", first.port)
        finally:
            await first.stop()

    asyncio.run(twice())


def test_both_parts_are_shown_and_the_html_cannot_do_anything(world: World, browser: Browser) -> None:
    number = receive(world.mailbox, letter())
    page = browser.get(f"/mail/{number}")
    assert "こんにちは、愛子さん。" in page.text
    assert f'<iframe class="letter" src="/mail/{number}/html" sandbox' in page.text
    html = browser.get(f"/mail/{number}/html")
    assert html.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert b"Subject:" in browser.get(f"/mail/{number}/raw").body
    assert browser.get("/mail/99").status == 404


def test_a_hostile_subject_is_only_text(world: World, browser: Browser) -> None:
    receive(world.mailbox, letter(subject="<script>alert(1)</script>"))
    assert "<script>" not in browser.get("/mail/").text


def test_the_list_is_newest_first_and_filtered_by_address(world: World, browser: Browser) -> None:
    receive(world.mailbox, letter(subject="first"))
    receive(world.mailbox, letter(to="ben@example.jp", subject="second"))
    listed = words(browser.get("/mail/"))
    assert listed.index("second") < listed.index("first")
    assert "second" not in words(browser.get("/mail/?to=Aiko@example.jp"))


def test_programs_read_the_same_as_json(world: World, browser: Browser) -> None:
    receive(world.mailbox, letter(subject="old"))
    number = receive(world.mailbox, letter())
    found = browser.get("/control/mail?to=aiko@example.jp").json()
    assert found["total"] == 2
    assert [each["subject"] for each in found["messages"]] == ["開通のお知らせ", "old"]
    newest = browser.get("/control/mail/newest?to=aiko@example.jp").json()
    assert (newest["id"], "XYZ-123" in newest["text"], newest["message_id"]) == (number, True, "<one@sonix.example>")
    assert browser.get(f"/control/mail/{number}").json() == newest
    assert browser.get("/control/mail/newest?to=nobody@example.jp").status == 404


def test_the_ledger_learns_for_whom_but_not_what(world: World) -> None:
    receive(world.mailbox, letter())
    (entry,) = world.ledger.read("mail", "message.accept")
    assert (entry.correlation_id, entry.detail["to"]) == ("c-7", ["aiko@example.jp"])
    assert "XYZ-123" not in str(entry)


def test_a_restart_keeps_the_mail(tmp_path: Path) -> None:
    config = Config(state=tmp_path / "kept")
    first = World(config)
    receive(first.mailbox, letter())
    first.close()
    second = World(config)
    assert second.mailbox.newest_first()[0].part("plain").startswith("こんにちは")
    second.close()


def test_bytes_that_are_no_text_survive(world: World) -> None:
    raw = b"Subject: =?utf-8?b?!!?=\r\n\r\n\xff\xfe\x00 not utf-8"
    number = world.mailbox.receive("", ["aiko@example.jp"], raw).number
    kept = world.mailbox.get(number)
    assert kept
    assert kept.raw == raw
    assert "not utf-8" in kept.part("plain")
