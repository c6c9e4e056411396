"""How often is tried again: soon what passes, rarely what a person must mend; no login is tried in a tight loop."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from integrations.errors import Misconfigured, OutsideError
from integrations.salesforce.pubsub import EventStream, Start, Subscription
from integrations.salesforce.stream_errors import AuthRefused, Fatal, QuotaUsedUp, StreamSilent, Throttled, Transient
from provisioning.backoff import Backoff, Pace
from provisioning.sdnotify import Supervisor
from provisioning.subscriber import Subscriber
from tests.provisioning.responses import TOPIC
from tests.provisioning.subscribing import row

pytestmark = pytest.mark.django_db(transaction=True)
TRIES = 12


class Refusing:
    """A stream that cannot be opened; counts the sign-ins it was made to do."""

    def __init__(self, error: OutsideError) -> None:
        self._error = error
        self.sign_ins = 0

    def sign_in(self) -> None:
        self.sign_ins += 1

    renew = sign_in

    def open(self, topic: str, start: Start | bytes) -> Subscription:
        raise self._error

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[list[float], int]]:
    """pauses(error) gives the pauses between the tries in the pace of production, and how many sign-ins there were."""

    def made(error: OutsideError) -> tuple[list[float], int]:
        found: list[float] = []

        def sleep(self: Subscriber, seconds: float, *_rest: Any) -> None:
            found.append(seconds)
            if len(found) == TRIES:
                self.stop()

        monkeypatch.setattr(Subscriber, "_sleep", sleep)
        stream = Refusing(error)
        subscriber = Subscriber(
            topic=TOPIC,
            stream=cast(EventStream, stream),
            first=Start.LATEST,
            leader_wait_s=10,
            supervisor=Supervisor(),
        )
        subscriber.run()
        return found, stream.sign_ins

    return made


@pytest.mark.parametrize("kind", [Transient, StreamSilent])
def test_what_passes_is_tried_again_within_a_minute(pauses: Any, kind: type[Transient]) -> None:
    found, sign_ins = pauses(kind("Subscribe", "service.unavailable"))
    assert all(1 <= each <= 60 for each in found)
    assert found[0] == 1
    assert sign_ins == 1
    assert row().auth_refused is False


def test_a_token_refused_again_and_again_is_replaced_three_times_and_then_every_five_minutes(pauses: Any) -> None:
    found, sign_ins = pauses(AuthRefused("Subscribe", "service.auth.error"))
    assert all(each <= 8 for each in found[:3])
    assert set(found[3:]) == {300}
    assert sign_ins <= 1 + TRIES
    assert row().auth_refused is True


def test_credentials_refused_while_it_runs_are_tried_every_five_minutes(pauses: Any) -> None:
    """An org locks a user out who tries more often."""
    found, _ = pauses(Misconfigured("salesforce", "token", "invalid_grant", "The key is not accepted."))
    assert set(found) == {300}
    assert row().auth_refused is True


def test_a_missing_permission_is_no_matter_of_credentials(pauses: Any) -> None:
    found, _ = pauses(Fatal("GetTopic", "topic.meta.permission"))
    assert set(found) == {300}
    assert row().auth_refused is False


def test_who_asks_too_much_waits_a_minute_and_for_the_days_quota_a_quarter_of_an_hour(pauses: Any) -> None:
    assert all(each >= 60 for each in pauses(Throttled("Subscribe", "concurrent.client.limit.exceeded"))[0])
    assert set(pauses(QuotaUsedUp("Subscribe", "subscription.limit.exceeded"))[0]) == {900}


def test_pauses_grow_to_their_limit_with_full_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    ceilings: list[float] = []

    def uniform(low: float, high: float) -> float:
        assert low == 0
        ceilings.append(high)
        return high

    monkeypatch.setattr("provisioning.backoff.random.uniform", uniform)
    backoff = Backoff(Pace())
    assert [backoff.next() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    backoff.reset()
    assert backoff.next() == 1
    monkeypatch.undo()
    assert len({backoff.next() for _ in range(10)}) > 5
