"""Faults of any HTTP answer, whatever the system: time, connections, and bodies that are not what was promised."""

from typing import ClassVar

from pydantic import Field

from sandbox.faults.kinds.base import AT, CLOSE, CONNECT, HTTP, At, Close, Fault

_MOST = 256 * 1024 * 1024


class Latency(Fault):
    """The call takes longer: so much before anything is done, or with the work done and the answer on its way."""

    kind = "latency"
    title = "Slow"
    systems = (*HTTP, "pubsub", "mail")

    ms: int = Field(1000, ge=1, le=600_000, description="Milliseconds")
    at: At = Field("before", description=AT)


class Hold(Fault):
    """The call stands still until somebody releases it. A caller who gives up does not stop it: released later, it
    is carried out all the same, as by a server that was only slow."""

    kind = "hold"
    title = "Held until released"
    systems = (*HTTP, "pubsub", "mail")

    at: At = Field("before", description=AT)


class Refuse(Fault):
    """A new connection is broken as soon as it stands, before a request is read. Idle connections are ended when the
    rule is made, so that the next call needs a new one."""

    kind = "refuse"
    title = "Connection refused"
    systems = (*HTTP, "pubsub", "mail")
    operations = (CONNECT,)

    how: Close = Field("reset", description=CLOSE)


class PortClosed(Fault):
    """Nobody listens on the system's port: the kernel refuses connections. It listens again when the rule is gone."""

    kind = "port_closed"
    title = "Port closed"
    systems = (*HTTP, "pubsub", "mail")
    operations = (CONNECT,)
    strikes = ("standing",)


class Drop(Fault):
    """The request is read and the connection ends without an answer: nothing done, or everything done."""

    kind = "drop"
    title = "Dropped connection"
    systems = (*HTTP, "mail")

    at: At = Field("after", description=AT)
    how: Close = Field("close", description=CLOSE)


class Replacement(Fault):
    """Another answer than the system's own."""

    systems: ClassVar[tuple[str, ...]] = HTTP
    at: At = Field("before", description=AT)


class Html(Replacement):
    """A page in HTML where JSON was expected, such as a maintenance notice."""

    kind = "html"
    title = "HTML instead of JSON"

    status: int = Field(503, ge=200, le=599, description="HTTP status")


class HttpError(Replacement):
    """An HTTP error as a proxy or a broken server gives it."""

    kind = "http_error"
    title = "HTTP error"

    status: int = Field(500, ge=400, le=599, description="HTTP status")
    body: str = Field("", description="The answer's text; none by default")
    content_type: str = Field("text/plain", description="Content-Type of the text")


class Empty(Replacement):
    """An answer without a body."""

    kind = "empty"
    title = "Empty body"

    status: int = Field(200, ge=200, le=599, description="HTTP status")


class Huge(Replacement):
    """A body that hardly ends: JSON that begins well and goes on and on."""

    kind = "huge"
    title = "Huge body"

    size: int = Field(32 * 1024 * 1024, ge=1, le=_MOST, description="Bytes")


class Redirect(Replacement):
    """A redirect to somewhere else, as an attacker would like followed."""

    kind = "redirect"
    title = "Redirect"

    location: str = Field(min_length=1, pattern=r"^[\x21-\x7e]+$", description="Where to")
    status: int = Field(302, ge=300, le=399, description="HTTP status")


class Drip(Fault):
    """The right answer, a few bytes at a time."""

    kind = "drip"
    title = "Slow drip"
    systems = HTTP

    bytes_per_s: float = Field(10, gt=0, le=1_000_000, description="Bytes per second")


class Truncate(Fault):
    """The right answer is cut off: its Content-Length promises more than comes before the connection ends."""

    kind = "truncate"
    title = "Truncated body"
    systems = HTTP

    keep: float = Field(0.5, ge=0, lt=1, description="Share of the body that is sent")


class PhpNotice(Fault):
    """PHP says something before the right answer begins."""

    kind = "php_notice"
    title = "PHP notice before the answer"
    systems = ("whmcs",)

    text: str = Field("Undefined array key &quot;paymentmethod&quot;", description="What the notice says")


class ContentType(Fault):
    """The right answer under a wrong Content-Type."""

    kind = "content_type"
    title = "Wrong content type"
    systems = HTTP

    content_type: str = Field("text/html; charset=UTF-8", pattern=r"^[\x20-\x7e]+$", description="What it claims to be")
