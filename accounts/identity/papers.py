"""Whether an uploaded file is a paper we take, judged by its bytes alone; its name and declared type count for nothing.

What is taken is written anew by accounts.identity.cleaning, in a process of its own with little memory and time.
"""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.identity import cleaning

log = structlog.get_logger(__name__)

PROGRAM = Path(cleaning.__file__)
DEADLINE_S = 30.0  # of the clock; the process' own limit is of CPU time
WAIT_S = 2.0  # for the file before this one; every other page needs the web threads, too
AT_ONCE = threading.BoundedSemaphore(1)  # in each web process, so that memory stays bounded
MOST_READ = cleaning.LARGEST_RESULT + 64
CONTENT_TYPES = {"image/jpeg", "application/pdf"}

REFUSED: Mapping[str, str | Promise] = {
    "empty": _("This file is empty; choose another one"),
    "too_big": _("This file is larger than 10 MB; take the photo with a lower resolution"),
    "heic": _(
        "This photo is in the format HEIC, which we cannot open; on an iPhone choose Settings, Camera, Formats, "
        "Most Compatible and take it again, or send a screenshot of it"
    ),
    "gif": _("This is a GIF picture; send a photo as JPEG or PNG, or a PDF"),
    "svg": _("This is an SVG drawing; send a photo as JPEG or PNG, or a PDF"),
    "html": _("This is a web page and not a document; send a photo as JPEG or PNG, or a PDF"),
    "other_picture": _("We cannot open this kind of picture; save it as JPEG or PNG and send that"),
    "archive": _("This is an archive or an office file; send a photo as JPEG or PNG, or a PDF"),
    "unknown": _("This is no JPEG, PNG or PDF; send a photo of the document instead"),
    "broken": _("This file is damaged or incomplete; take the photo again or save the PDF anew"),
    "too_many_pixels": _("This picture has more than 40 million pixels; take it with a lower resolution"),
    "too_small": _("This picture is too small to be read; it needs at least 300 pixels on each side"),
    "encrypted": _("This PDF is locked with a password; send one without, or a photo"),
    "active": _("This PDF contains a program or an attachment; print it as a new PDF, or send a photo"),
    "too_many_pages": _("This PDF has more than 10 pages; send only those with your name, address and photo"),
    "too_heavy": _("This file takes more than we can spend on opening it; send a photo of the document instead"),
    "too_often": _("You have sent many files in a short time; wait a while and go on"),
    "too_many": _("There are six files already; remove one first"),
    "busy": _("We are busy with other files just now; send it again in a minute"),
}
HEIC = re.compile(rb"....ftyp(heic|heix|heim|heis|hevc|hevx|mif1|msf1|avif|avis)", re.DOTALL)
SIGNATURES = (
    (b"GIF8", "gif"),
    (b"II*\0", "other_picture"),
    (b"MM\0*", "other_picture"),
    (b"BM", "other_picture"),
    (b"PK", "archive"),
    (b"\xd0\xcf\x11\xe0", "archive"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"\x1f\x8b", "archive"),
)


class Refused(Exception):
    """We do not take this file; `reason` is a key of REFUSED, whose sentence says what to do instead."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sentence = REFUSED[reason]


@dataclass(frozen=True)
class Paper:
    """A file as we keep it: made by us from the uploaded one's pixels or pages."""

    content_type: str  # image/jpeg or application/pdf
    data: bytes


def cleaned(data: bytes) -> Paper:
    """The paper made anew from an uploaded file of at most 10 MB. Raises Refused.

    Blocks for as long as the cleaning process takes, DEADLINE_S at most, after the one before it.
    """
    if reason := _refused_at_sight(data):
        raise Refused(reason)
    if not AT_ONCE.acquire(timeout=WAIT_S):
        raise Refused("busy")
    try:
        result = _in_a_process(data)
    finally:
        AT_ONCE.release()
    head, _newline, rest = result.partition(b"\n")
    if head.decode("ascii", "replace") in CONTENT_TYPES and 0 < len(rest) <= cleaning.LARGEST_RESULT:
        return Paper(head.decode(), rest)
    reason = head.removeprefix(b"refused ").decode("ascii", "replace")
    raise Refused(reason if reason in REFUSED else "too_heavy")


def _refused_at_sight(data: bytes) -> str:
    """The reason when the first bytes are those of something else than JPEG, PNG or PDF; empty when they are not."""
    if not data:
        return "empty"
    if HEIC.match(data):
        return "heic"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "other_picture"
    for signature, reason in SIGNATURES:
        if data.startswith(signature):
            return reason
    return _refused_as_text(data[:1024].lower())


def _refused_as_text(start: bytes) -> str:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text.startswith(b"<"):
        return ""
    return "svg" if b"<svg" in text else "html"


def _in_a_process(data: bytes) -> bytes:
    """What the cleaning process wrote; empty when it was ended by a limit or crashed. Nothing touches a disk."""
    source, target = os.memfd_create("paper"), os.memfd_create("cleaned")
    try:
        with os.fdopen(os.dup(source), "wb") as file:
            file.write(data)
        os.lseek(source, 0, os.SEEK_SET)
        code = _run(source, target)
        if code != 0:
            log.warning("identity_file_too_heavy", code=code)
            return b""
        return os.pread(target, MOST_READ, 0)
    finally:
        os.close(source)
        os.close(target)


def _run(source: int, target: int) -> int | None:
    """The exit status; None when the deadline ended it. The process sees nothing of our environment."""
    command = [sys.executable, "-I", "-B", str(PROGRAM)]
    try:
        return subprocess.run(  # noqa: S603 - our own program
            command, stdin=source, stdout=target, stderr=subprocess.DEVNULL, env={}, timeout=DEADLINE_S, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return None
