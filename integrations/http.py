"""One way to make an HTTP session, and one way to make a call: total deadline, size cap, correlation id, one record."""

import threading
import time
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol, TypeVar

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidHeader, InvalidJSONError, InvalidSchema, InvalidURL, MissingSchema

from integrations import correlation, failpoints
from integrations.deadline import OverDeadline, TimedPool, Wire, current_wire, latest_end, on_the_wire
from integrations.errors import Misconfigured, OutsideError, Unavailable, UnknownOutcome

T = TypeVar("T")

MEBIBYTE = 1024 * 1024
CONNECT_S = 10.0
CHUNK = 64 * 1024
WRONG_ADDRESS = (InvalidURL, InvalidSchema, MissingSchema, InvalidHeader)
FAULTS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
RESULTS = {
    "timeout": "timeout",
    "bad_body": "bad_body",
    "too_large": "bad_body",
    "redirect": "bad_body",
    "no_connection": "refused",
    "certificate": "refused",
    "address": "refused",
    "reset": "http_error",
}


class CallRecorder(Protocol):
    """Told about every outside call once; writes the log line and the metric. Never raises."""

    def record(self, *, system: str, operation: str, result: str, seconds: float, status: int | None = None) -> None:
        """`result` is ok, app_error, http_error, timeout, bad_body or refused (observability.md §2)."""


class TooLarge(requests.RequestException):
    """The body is larger than this client accepts."""


class _Adapter(HTTPAdapter):
    """Sends within the deadline of the call being made and reads the whole body, up to the cap."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": TimedPool}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        wire = current_wire()
        left = wire.left()
        request.headers["X-Correlation-ID"] = correlation.current()
        kwargs |= {"stream": True, "timeout": (min(CONNECT_S, left), left), "proxies": None}
        response = super().send(request, *args, **kwargs)
        wire.status = response.status_code
        response.raw = BytesIO(_body(response.raw, wire))
        return response


def _body(raw: Any, wire: Wire) -> bytes:
    chunks, size = [], 0
    for chunk in raw.stream(CHUNK, decode_content=True):
        size += len(chunk)
        if size > wire.max_bytes:
            raw.close()
            raise TooLarge
        chunks.append(chunk)
    return b"".join(chunks)


class _Session(requests.Session):
    """Follows no redirect: where it leads is not on our list of hosts (security.md §4)."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Says that there is none; the 3xx answer itself is what the caller gets."""


def session(*, ca_bundle: str = "", keep_alive: bool = True) -> requests.Session:
    """A session for https only: no environment, no proxy, no cookie, no redirect, no retry.

    `ca_bundle` is a PEM file to trust instead of the usual authorities. Without `keep_alive` every call gets a new
    connection, so that one the far side has just closed cannot make a write's outcome unknown. Raises ValueError when
    the file does not exist. Sessions are not shared between threads.
    """
    if ca_bundle and not Path(ca_bundle).is_file():
        raise ValueError(f"the CA bundle {Path(ca_bundle).name} does not exist")
    made = _Session()
    made.trust_env = False
    made.verify = ca_bundle or True
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.adapters.clear()
    made.mount("https://", _Adapter())
    made.headers["User-Agent"] = "customer-portal"
    if not keep_alive:
        made.headers["Connection"] = "close"
    return made


class _Sessions(threading.local):
    """Each thread's own two sessions."""

    def __init__(self, ca_bundle: str) -> None:
        self.kept = session(ca_bundle=ca_bundle)
        self.single = session(ca_bundle=ca_bundle, keep_alive=False)


def _anywhere() -> None:
    """No place is forbidden for a remote call."""


class Caller:
    """Makes the calls to one outside system; shared by threads.

    `guard` is called first and raises where no remote call may be made (inside a database transaction).
    """

    def __init__(
        self,
        *,
        system: str,
        recorder: CallRecorder,
        ca_bundle: str = "",
        max_bytes: int = MEBIBYTE,
        guard: Callable[[], None] = _anywhere,
    ) -> None:
        self.system, self.guard = system, guard
        self._recorder, self._max_bytes = recorder, max_bytes
        self._sessions = _Sessions(ca_bundle)

    def session(self, *, repeatable: bool = True) -> requests.Session:
        """This thread's session; a fresh connection for what must not be repeated."""
        return self._sessions.kept if repeatable else self._sessions.single

    def call(self, operation: str, attempt: Callable[[], T], *, deadline_s: float, repeatable: bool) -> T:
        """Runs `attempt`, which sends one request by `session()` and reads its answer, and records it once.

        `deadline_s` bounds connecting, sending and reading together; `ended_within` may leave less. Raises Unavailable
        when nothing was sent, or for a `repeatable` call; UnknownOutcome when something was sent and no usable answer
        came; Misconfigured for a certificate or an address that is wrong; and whatever OutsideError `attempt` raises
        about the answer.
        """
        self.guard()
        # The clock runs before anything else does: a process that stood still for too long then sends nothing any more.
        wire = Wire(until=latest_end(deadline_s), max_bytes=self._max_bytes)
        failpoints.reach(f"{self.system}.{operation}:before")
        started, result = time.monotonic(), "app_error"
        try:
            with on_the_wire(wire):
                answer = attempt()
            result = "ok"
            return answer
        except FAULTS as fault:
            error = self._error_of(operation, fault, wire, repeatable=repeatable)
            result = RESULTS[error.code]
            raise error from None  # the fault's own text holds addresses and queries
        except OutsideError as error:
            result = "http_error" if error.code.startswith("http_") else RESULTS.get(error.code, "app_error")
            raise
        finally:
            seconds = time.monotonic() - started
            self._recorder.record(
                system=self.system, operation=operation, result=result, seconds=seconds, status=wire.status
            )
            failpoints.reach(f"{self.system}.{operation}:after")

    def no_answer(self, operation: str, code: str, text: str = "", *, repeatable: bool) -> OutsideError:
        """What an unusable answer means: Unavailable for a repeatable call, else UnknownOutcome."""
        return (Unavailable if repeatable else UnknownOutcome)(self.system, operation, code, text)

    def _error_of(self, operation: str, fault: Exception, wire: Wire, *, repeatable: bool) -> OutsideError:
        code = _code_of(fault, wire)
        if code in {"certificate", "address"}:
            return Misconfigured(self.system, operation, code, WRONG[code])
        if repeatable or not wire.sent:
            return Unavailable(self.system, operation, code)
        return UnknownOutcome(self.system, operation, code)


WRONG = {
    "certificate": "The certificate of the other side is not trusted: check the CA bundle and the address.",
    "address": "The address or a header is malformed: check the URL in the settings.",
}


def _code_of(fault: Exception, wire: Wire) -> str:
    if isinstance(fault, TooLarge):
        return "too_large"
    if isinstance(fault, InvalidJSONError | requests.exceptions.ContentDecodingError | urllib3.exceptions.DecodeError):
        return "bad_body"
    if not wire.sent and isinstance(fault, WRONG_ADDRESS):
        return "address"
    if not wire.sent and "CERTIFICATE_VERIFY_FAILED" in str(fault):
        return "certificate"
    timed_out = isinstance(fault, OverDeadline | requests.Timeout | TimeoutError | urllib3.exceptions.TimeoutError)
    if timed_out or wire.over():
        return "timeout"
    return "reset" if wire.sent else "no_connection"
