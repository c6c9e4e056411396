"""What clamd says, and what its silence means."""

import pytest

from integrations import clamd as client
from integrations.errors import Unavailable
from tests.clamd import EICAR, Clamd, clamd

__all__ = ["clamd"]


def test_a_harmless_file_is_nothing_and_arrives_whole(clamd: Clamd) -> None:
    content = bytes(range(256)) * 10_000  # more than one chunk
    assert client.scan(content, socket_path=str(clamd.path)) == ""
    assert clamd.scanned == [content]


def test_a_virus_has_a_name(clamd: Clamd) -> None:
    assert client.scan(b"%PDF-" + EICAR, socket_path=str(clamd.path)) == "Eicar-Test-Signature"


@pytest.mark.parametrize(
    ("says", "code"),
    [
        (b"INSTREAM size limit exceeded. ERROR\0", "refused"),
        (b"stream: Heuristics.Limits.Exceeded FOUND\0", "refused"),  # with AlertExceedsMax
        (b"stream: Heuristics.Limits.Exceeded.MaxScanSize FOUND\0", "refused"),
        (b"COMMAND READ TIMED OUT\0", "bad_body"),
        (b"stream: OK", "bad_body"),  # cut off: no end
        (b"stream: Eicar-Test-Signature FOU", "bad_body"),
        (b"whatever\0", "bad_body"),
        (b"stream: OK\0stream: OK\0", "bad_body"),
        (b"x" * 5000, "bad_body"),
    ],
)
def test_what_is_no_verdict_is_none(clamd: Clamd, says: bytes, code: str) -> None:
    clamd.says = says
    with pytest.raises(Unavailable) as error:
        client.scan(b"a", socket_path=str(clamd.path))
    assert error.value.code == code


def test_a_scanner_that_hangs_up_over_a_large_file_is_heard_out(clamd: Clamd) -> None:
    clamd.limit = 1024 * 1024
    with pytest.raises(Unavailable) as error:
        client.scan(bytes(8 * 1024 * 1024), socket_path=str(clamd.path))
    assert error.value.code == "refused"


def test_a_scanner_that_hangs_up_without_a_word_is_away(clamd: Clamd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clamd, "_answer", lambda visitor, asked: asked.read(10))
    with pytest.raises(Unavailable) as error:
        client.scan(bytes(8 * 1024 * 1024), socket_path=str(clamd.path))
    assert error.value.code == "no_connection"


def test_nobody_listening_is_no_verdict(clamd: Clamd) -> None:
    clamd.close()
    with pytest.raises(Unavailable) as error:
        client.scan(b"a", socket_path=str(clamd.path))
    assert error.value.code == "no_connection"


def test_silence_is_no_verdict(clamd: Clamd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "DEADLINE_S", 0.2)
    monkeypatch.setattr(clamd, "_answer", lambda visitor, asked: asked.read())
    with pytest.raises(Unavailable) as error:
        client.scan(b"a", socket_path=str(clamd.path))
    assert error.value.code == "timeout"
