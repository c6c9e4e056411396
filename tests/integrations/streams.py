"""The portal's EventStream, signed in to a sandbox, without a database."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from integrations.http import Caller
from integrations.salesforce.auth import Login, Token, TokenSource
from integrations.salesforce.pubsub import EventStream, FetchResult, ReceivedEvent, Subscription
from integrations.salesforce.stream_errors import StreamEnded
from tests.sandbox_process import Sandbox


class Calls:
    """A CallRecorder that keeps what it is told."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []

    def record(self, *, system: str, operation: str, result: str, seconds: float, status: int | None = None) -> None:
        self.made.append((operation, result))


class Memory:
    """A TokenStore for one process."""

    def __init__(self) -> None:
        self.token: Token | None = None

    def load(self) -> Token | None:
        return self.token

    def save(self, token: Token) -> None:
        self.token = token

    @contextmanager
    def lock(self) -> Iterator[None]:
        yield


def token_source(sandbox: Sandbox, calls: Calls, **instead: Any) -> TokenSource:
    urls = sandbox.urls
    login = {
        "token_url": f"{urls['salesforce_url']}/services/oauth2/token",
        "audience": "https://login.salesforce.com",
        "client_id": urls["salesforce_client_id"],
        "username": urls["salesforce_username"],
        "private_key": Path(urls["salesforce_key"]).read_text(),
        "instance_hosts": ["localhost"],
    }
    caller = Caller(system="salesforce", recorder=calls, ca_bundle=urls["ca"])
    return TokenSource(login=Login(**{**login, **instead}), store=Memory(), caller=caller)


def event_stream(
    sandbox: Sandbox, calls: Calls | None = None, guard: Callable[[], None] = lambda: None, **more: Any
) -> EventStream:
    calls = calls or Calls()
    settings = {"silence_s": 10, "ca_bundle": sandbox.urls["ca"], **more}
    tokens = settings.pop("tokens", None) or token_source(sandbox, calls)
    return EventStream(endpoint=sandbox.urls["pubsub_endpoint"], tokens=tokens, recorder=calls, guard=guard, **settings)


def result(subscription: Subscription) -> FetchResult:
    """The next response, keep-alives included."""
    found = subscription.receive(15)
    assert found is not None, "nothing came"
    return found


def read_on(subscription: Subscription) -> None:
    """Receives for ever; what ends the stream passes through."""
    while True:
        result(subscription)


def received_until_the_end(subscription: Subscription) -> list[FetchResult]:
    """Everything that comes until the server ends the stream in good order."""
    found: list[FetchResult] = []
    with contextlib.suppress(StreamEnded):
        while True:
            found.append(result(subscription))
    return found


def events(subscription: Subscription, count: int) -> list[ReceivedEvent]:
    """Receives until so many events have come."""
    found: list[ReceivedEvent] = []
    while len(found) < count:
        found += result(subscription).events
    return found
