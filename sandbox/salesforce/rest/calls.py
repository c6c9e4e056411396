"""One API call and its answer, apart from HTTP, so that a Composite's sub-requests are calls like any other."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.salesforce.asking import Asking
from sandbox.salesforce.duplicates import read_options
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.rest import versions

PREFIX = "/services/data/"
_VERSION = re.compile(r"v([1-9][0-9]?)\.0")
_CLIENT = re.compile(r"\bclient\s*=\s*([^,;]+)", re.IGNORECASE)
_LONGEST_WITH_FORMAT = 3
# What a call says of itself holds for the calls in it too; what it asks for (conditions, page size) does not.
_PASSED_ON = frozenset(
    {
        "accept",
        "authorization",
        "content-type",
        "sforce-call-options",
        "sforce-duplicate-rule-header",
        "x-correlation-id",
    }
)


@dataclass(frozen=True)
class Call:
    """What somebody asks of `/services/data/vNN.0/…`; header names in lower case. A call inside of another knows that
    one's operation as `inside`, and what the caller named it as `label`."""

    method: str
    version: float
    segments: tuple[str, ...]
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    user_id: str
    inside: str = ""
    label: str = ""

    @property
    def base(self) -> str:
        """What URLs in the answer begin with."""
        return f"{PREFIX}v{self.version:.1f}"

    @property
    def correlation_id(self) -> str:
        """The caller's own id of what it is doing."""
        return self.headers.get("x-correlation-id", "")

    @property
    def asking(self) -> Asking:
        """What the org may want to know of the call while it makes changes."""
        client = _CLIENT.search(self.headers.get("sforce-call-options", ""))
        origin = f"com/salesforce/api/rest/{self.version:.1f}" + (f";client={client[1].strip()}" if client else "")
        return Asking(origin, self.base, read_options(self.headers.get("sforce-duplicate-rule-header", "")))

    def within(self, method: str, address: "Address", headers: Mapping[str, str], body: Any, label: str = "") -> "Call":
        """A call made inside of this one, by the same user, with headers of its own beside those that pass on."""
        inherited = {name: value for name, value in self.headers.items() if name in _PASSED_ON}
        own, inside = {**inherited, **headers}, "/".join(self.segments).lower()
        return Call(method, address.version, address.segments, address.params, own, body, self.user_id, inside, label)

    def fields(self) -> dict[str, Any]:
        """The body as a record. Raises ApiError when it is none."""
        if not isinstance(self.body, dict):
            raise ApiError(
                "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body."
            )
        return {name: value for name, value in self.body.items() if name != "attributes"}


@dataclass(frozen=True)
class Answer:
    """What comes back. `content` replaces the JSON body where bytes are asked for; `rows_failed` tells of a call that
    was answered with success although some of its rows were refused; `cost` is what it counts against the daily limit;
    `key`, `detail` and `parts` are for the ledger."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    rows_failed: bool = False
    cost: int = 1
    key: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    parts: Sequence["Part"] = ()

    @property
    def failed(self) -> bool:
        """Whether the call, or any of its rows, was refused."""
        return self.status >= 400 or self.rows_failed


def refusal(error: ApiError) -> Answer:
    """The answer that carries an error."""
    return Answer(error.status, error.body())


@dataclass(frozen=True)
class Part:
    """What a call inside of another came to; `label` is the caller's name for it, `operation` the ledger's."""

    label: str
    operation: str
    answer: Answer


# Carries out a call of its own, in a transaction of its own, and never raises ApiError; gives its operation too.
Dispatch = Callable[[Call], tuple[str, Answer]]


@dataclass(frozen=True)
class Address:
    """A parsed URL below `/services/data/`."""

    version: float
    segments: tuple[str, ...]
    params: Mapping[str, str]


def parse_address(url: str) -> Address | None:
    """Split a path with its query string, percent signs and all; None when it lies elsewhere or names no version."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    version, _, path = parts.path.removeprefix(PREFIX).partition("/")
    number = _VERSION.fullmatch(version)
    if not parts.path.startswith(PREFIX) or number is None or int(number[1]) not in versions.OFFERED:
        return None
    segments = tuple(unquote(segment) for segment in path.split("/") if segment)
    return Address(float(number[1]), _without_format(segments), dict(parse_qsl(parts.query, keep_blank_values=True)))


def _without_format(segments: tuple[str, ...]) -> tuple[str, ...]:
    """A path may say that it wants JSON by its ending, except where the end is a value."""
    if not segments or len(segments) > _LONGEST_WITH_FORMAT:
        return segments
    return (*segments[:-1], segments[-1].removesuffix(".json"))
