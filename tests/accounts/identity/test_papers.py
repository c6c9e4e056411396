"""Which files are taken, what is left of them, and why the others are not: judged by their bytes."""

import io
import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from accounts.identity import cleaning, papers
from accounts.identity.papers import REFUSED, Refused, cleaned
from tests.accounts.identity import files


def reason_for(data: bytes) -> str:
    with pytest.raises(Refused) as refused:
        cleaned(data)
    assert str(refused.value.sentence)
    return refused.value.reason


def image_of(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(cleaned(data).data))


# --- pictures


def test_a_photo_keeps_its_pixels_the_right_way_up_and_nothing_else() -> None:
    sent = files.photo() + files.EXECUTABLE
    paper = cleaned(sent)
    assert paper.content_type == "image/jpeg"
    assert files.SECRET.encode() in sent
    for trace in (files.SECRET.encode(), b"Exif", b"ICC_PROFILE", b"PK\x03\x04"):
        assert trace not in paper.data
    shown = Image.open(io.BytesIO(paper.data))
    assert (shown.size, dict(shown.getexif())) == ((500, 800), {})
    top, bottom = shown.getpixel((250, 100)), shown.getpixel((250, 700))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > 200 > top[2]  # the red half, which lay at the left
    assert bottom[2] > 200


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA"])
def test_a_png_of_any_usual_kind_becomes_a_jpeg(mode: str) -> None:
    shown = image_of(files.picture("PNG", mode=mode))
    assert (shown.format, shown.size, shown.mode) == ("JPEG", (800, 500), "RGB")


def test_what_was_transparent_is_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (400, 400), (0, 0, 0, 0)).save(out, "PNG")
    assert image_of(out.getvalue()).getpixel((200, 200)) == (255, 255, 255)


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("PNG", "RGBA")])
def test_forty_million_pixels_are_taken_and_made_smaller(kind: str, mode: str) -> None:
    """The most there may be, in the forms that cost most memory."""
    how = {"progressive": True} if kind == "JPEG" else {"compress_level": 1}
    assert image_of(files.picture(kind, (8000, 5000), mode, **how)).size == (4096, 2560)


def test_one_row_of_pixels_more_is_too_many() -> None:
    assert reason_for(files.picture("PNG", (8000, 5001), "1")) == "too_many_pixels"


# --- PDF


def test_a_pdf_keeps_its_pages_and_nothing_else() -> None:
    sent = files.pdf(2, files.with_a_view) + b"\n<html><script>alert(1)</script></html>"
    paper = cleaned(sent)
    assert paper.content_type == "application/pdf"
    for trace in (files.SECRET.encode(), b"<script>", b"evil.example"):
        assert trace not in paper.data
    kept = pikepdf.open(io.BytesIO(paper.data))
    assert len(kept.pages) == 2
    page = kept.pages[0]
    assert b"Aiko Sato" in page.Contents.read_bytes()
    assert [str(edge) for edge in page.mediabox] == ["0", "0", "595", "842"]
    assert list(page.resources.Font.keys()) == ["/F1"]
    assert set(kept.Root.keys()) == {"/Type", "/Pages"}
    assert "/Info" not in kept.trailer


# --- what is not taken

AT_SIGHT = {
    "empty": b"",
    "gif": files.GIF_AND_SCRIPT,
    "svg": files.SVG,
    "heic": files.HEIC,
    "html": files.PAGE,
    "other_picture": b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    "archive": files.EXECUTABLE,
    "unknown": b"MZ\x90\x00 a program",
}


@pytest.mark.parametrize("reason", AT_SIGHT)
def test_what_is_no_paper_is_told_by_its_first_bytes(reason: str) -> None:
    assert reason_for(AT_SIGHT[reason]) == reason


def test_a_disguise_is_seen_through() -> None:
    assert reason_for(files.SVG_LATE) == "svg"
    assert reason_for(files.PAGE + files.pdf()) == "html"
    assert reason_for(b"alert(1);" + files.picture()) == "unknown"
    assert reason_for(b"\xff\xd8\xff" + files.PAGE) == "broken"


@pytest.mark.parametrize(
    ("whole", "kept"),
    [(files.picture(), 0.5), (files.picture("PNG", (2000, 2000), "L"), 0.5), (files.pdf(), 0.3)],
    ids=["jpeg", "png", "pdf"],
)
def test_half_a_file_is_no_paper(whole: bytes, kept: float) -> None:
    assert reason_for(whole[: int(len(whole) * kept)]) == "broken"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (files.huge_png, "too_many_pixels"),
        (lambda: files.picture(size=(800, 299)), "too_small"),
        (lambda: files.pdf(encryption=pikepdf.Encryption(user="secret", owner="secret")), "encrypted"),
        (lambda: files.pdf(encryption=pikepdf.Encryption(user="", owner="secret")), "encrypted"),
        (lambda: files.pdf(change=files.with_script), "active"),
        (lambda: files.pdf(change=files.with_launch), "active"),
        (lambda: files.pdf(change=files.with_attachment), "active"),
        (lambda: files.pdf(change=files.with_a_huge_picture), "too_many_pixels"),
        (lambda: files.pdf(change=files.with_a_bomb), "too_heavy"),
        (lambda: files.pdf(change=lambda document: files.with_a_bomb(document, layers=2)), "too_heavy"),
        (lambda: files.pdf(11), "too_many_pages"),
    ],
)
def test_what_is_too_much_or_acts_is_refused(make: Callable[[], bytes], reason: str) -> None:
    sent = make()
    assert len(sent) < 2 * 1024 * 1024
    assert reason_for(sent) == reason


def test_a_bomb_that_every_reader_has_to_open_is_refused() -> None:
    """When memory ends inside the library it calls the file damaged; the customer is told the truth."""
    assert reason_for(files.pdf_with_a_bomb_among_its_objects()) == "too_heavy"


# --- the process in which files are opened


def instead(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program in the place of the cleaning one, with its module at hand."""
    path = tmp_path / "program.py"
    load = f"""import importlib.util, os, resource, sys
spec = importlib.util.spec_from_file_location("cleaning", {str(papers.PROGRAM)!r})
cleaning = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cleaning)
"""
    path.write_text(load + textwrap.dedent(program))
    monkeypatch.setattr(papers, "PROGRAM", path)


def test_memory_time_and_output_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of the system itself, after the program's own beginning."""
    program = """
        cleaning.limit()
        names = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_CORE", "RLIMIT_NPROC")
        print("image/jpeg\\n", [resource.getrlimit(getattr(resource, name)) for name in names])
    """
    instead(program, tmp_path, monkeypatch)
    limits = [cleaning.MEMORY, cleaning.CPU_S, cleaning.LARGEST_RESULT + cleaning.MEGABYTE, 0, 0]
    assert cleaned(b"any").data.decode().strip() == str([(limit, limit) for limit in limits])


@pytest.mark.parametrize(
    "greed",
    ["bytearray(cleaning.MEMORY)", "sys.stdout.buffer.write(bytes(cleaning.LARGEST_RESULT * 2))", "os.abort()"],
    ids=["memory", "output", "crash"],
)
def test_a_file_that_asks_for_more_is_refused(greed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instead(f'cleaning.limit()\n{greed}\nprint("image/jpeg\\nfile")', tmp_path, monkeypatch)
    assert reason_for(b"any") == "too_heavy"


def test_time_spent_computing_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instead("cleaning.CPU_S = 1\ncleaning.limit()\nwhile True: pass", tmp_path, monkeypatch)
    assert reason_for(b"any") == "too_heavy"


def test_one_that_only_waits_is_ended_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instead("import time\ntime.sleep(600)", tmp_path, monkeypatch)
    monkeypatch.setattr(papers, "DEADLINE_S", 0.3)
    assert reason_for(b"any") == "too_heavy"


def test_the_process_knows_nothing_of_the_portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither keys from the environment, nor the connections that are open."""
    program = """
        is_open = [fd for fd in range(256) if os.path.lexists(f"/proc/self/fd/{fd}")]
        print("image/jpeg\\n", sorted(set(os.environ) - {"LC_CTYPE"}), is_open)
    """
    instead(program, tmp_path, monkeypatch)
    monkeypatch.setenv("IDENTITY_KEYS", "secret")
    assert cleaned(b"any").data.decode().strip() == "[] [0, 1, 2]"


def test_while_another_file_is_open_the_next_one_waits_and_then_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(papers, "WAIT_S", 0.01)
    with papers.AT_ONCE:
        assert reason_for(files.picture()) == "busy"
    assert cleaned(files.picture()).content_type == "image/jpeg"


def test_every_reason_of_the_process_has_a_sentence() -> None:
    source = Path(cleaning.__file__).read_text()
    assert set(re.findall(r'Refused\("(\w+)"', source)) <= set(REFUSED)
