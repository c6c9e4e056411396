"""What Prometheus is told after something happened, and that an outage tells it no lies."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from redis.exceptions import ConnectionError as RedisIsAway

from accounts.models import User
from journal import rounds
from orders.models import Order
from portal.metrics.collector import collector
from portal.metrics.provisioning import REASONS, STEPS
from provisioning import pause, sweepers, tasks
from provisioning.models import Attempt, EventCursor, InboxEvent, Outbox, Step, Task
from tests.people import make_user
from tests.provisioning.conftest import arrive_and_run, arrives
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, key, no_answer

pytestmark = pytest.mark.django_db(transaction=True)
Read = Callable[..., float]


@pytest.fixture(autouse=True)
def _counted_anew() -> None:
    collector.forget()


@pytest.fixture
def scrape(client: Client) -> Callable[[], dict[tuple[str, frozenset[tuple[str, str]]], float]]:
    def scraped() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        collector.forget()
        text = client.get("/metrics").content.decode()
        samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
        return {(each.name, frozenset(each.labels.items())): each.value for each in samples}

    return scraped


@pytest.fixture
def read(scrape: Callable[[], dict[Any, float]]) -> Read:
    """The value of one sample, counted now. KeyError when it is not exported."""
    return lambda name, **labels: scrape()[f"portal_{name}", frozenset(labels.items())]


def test_everything_that_can_happen_is_counted_as_nought_before_it_happens(
    scrape: Callable[[], dict[Any, float]],
) -> None:
    samples = scrape()
    failures = [value for (name, _labels), value in samples.items() if name == "portal_provisioning_failures_total"]
    assert failures == [0] * len(REASONS) * len(STEPS)
    for outcome in ("provisioned", "failed", "skipped", "unknown"):
        for product in ("internet", "sim", "vpn", "other"):
            labels = frozenset({"outcome": outcome, "product": product}.items())
            assert samples["portal_provisioning_attempts_total", labels] == 0


@pytest.fixture
def aiko() -> User:
    return make_user("aiko@example.jp")


def test_attempts_are_counted_by_outcome_and_by_what_was_ordered(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, read: Read, aiko: User
) -> None:
    whmcs.methods = []
    arrive_and_run()
    assert read("provisioning_attempts_total", outcome="failed", product="other") == 1
    assert read("provisioning_failures_total", reason="payment_method_missing", step="payment") == 1
    Order.objects.create(user=aiko, category="SIM", sf_order_id=ORDER, terms_accepted_at=timezone.now())
    assert read("provisioning_attempts_total", outcome="failed", product="sim") == 1


def test_an_unknown_outcome_is_counted_once_and_stays_counted_when_it_is_known(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, read: Read, pass_quarantine: Callable[[], None]
) -> None:
    whmcs.trouble("add_order", no_answer())
    arrive_and_run()
    assert read("provisioning_attempts_live", state="UNKNOWN") == 1
    assert read("provisioning_attempts_total", outcome="unknown", product="other") == 1
    pass_quarantine()
    sweepers.resolve_unknown()
    assert Attempt.objects.get().state == "FAILED"
    assert read("provisioning_attempts_live", state="UNKNOWN") == 0
    assert read("provisioning_attempts_total", outcome="unknown", product="other") == 1
    assert read("provisioning_attempts_total", outcome="failed", product="other") == 0


def test_ages_and_lengths_are_in_seconds(salesforce: SalesforceDouble, whmcs: WhmcsDouble, read: Read) -> None:
    arrive_and_run()
    now = timezone.now()
    Attempt.objects.update(created_at=now - timedelta(seconds=45), finished_at=now)
    Step.objects.update(started_at=now - timedelta(seconds=2), finished_at=now)
    assert read("provisioning_duration_seconds_bucket", outcome="provisioned", le="30.0") == 0
    assert read("provisioning_duration_seconds_bucket", outcome="provisioned", le="60.0") == 1
    assert read("provisioning_duration_seconds_sum", outcome="provisioned") == pytest.approx(45)
    assert read("provisioning_step_duration_seconds_bucket", step="whmcs_add", le="1.0") == 0
    assert read("provisioning_step_duration_seconds_count", step="whmcs_add") == 1
    arrives(key(1, "801000000000009AAA"), order_id="801000000000009AAA")
    Attempt.objects.filter(state="QUEUED").update(created_at=now - timedelta(seconds=400))
    assert read("provisioning_oldest_live_seconds", state="QUEUED") == pytest.approx(400, abs=30)


def test_events_are_counted_by_what_became_of_them(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, read: Read
) -> None:
    arrives(key(1), published_at=timezone.now() - timedelta(seconds=3))
    arrives(key(2))
    assert arrives(key(2)).state == "duplicate"
    InboxEvent.objects.create(event_uuid="poison", topic="t", state="poison")
    assert [read("sf_events_received_total", result=each) for each in ("accepted", "duplicate", "poison")] == [2, 1, 1]
    assert read("sf_event_lag_seconds_bucket", source="stream", le="2.0") == 0
    assert read("sf_event_lag_seconds_bucket", source="stream", le="60.0") == 1


def test_an_event_of_an_order_that_there_is_not_is_counted_by_its_reason(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, read: Read
) -> None:
    salesforce.orders.clear()
    assert arrive_and_run().state == "SKIPPED"
    assert read("provisioning_skipped_total", reason="unknown_order") == 1
    assert read("provisioning_skipped_total", reason="not_activating") == 0


def test_the_stream_is_read_from_its_row(read: Read, settings: Any) -> None:
    topic, now = settings.SF_PROVISION_EVENT_CHANNEL, timezone.now()
    assert read("sf_stream_leader", topic=topic) == 0
    assert read("sf_stream_last_message_timestamp_seconds", topic=topic) == 0
    EventCursor.objects.create(
        topic=topic,
        leader="host:1",
        connected=True,
        last_message_at=now,
        saved_at=now - timedelta(hours=30),
        gap_at=now,
    )
    assert read("sf_stream_last_message_timestamp_seconds", topic=topic) == pytest.approx(now.timestamp())
    assert read("sf_cursor_age_seconds", topic=topic) == pytest.approx(30 * 3600, abs=60)
    assert read("sf_stream_gap_timestamp_seconds", topic=topic) == pytest.approx(now.timestamp())
    assert read("sf_stream_connected", topic=topic) == 0, "nobody leads: what the row says is old"


def test_reports_and_tasks_that_wait_have_an_age(salesforce: SalesforceDouble, whmcs: WhmcsDouble, read: Read) -> None:
    attempt = arrive_and_run()
    Outbox.objects.update(state="PENDING", created_at=timezone.now() - timedelta(seconds=1000))
    assert read("outbox_pending", kind="sf_outcome") == 1
    assert read("outbox_oldest_seconds", kind="sf_outcome") == pytest.approx(1000, abs=60)
    Outbox.objects.update(state="REFUSED")
    assert (read("outbox_pending", kind="sf_outcome"), read("outbox_refused", kind="sf_outcome")) == (0, 1)
    Task.objects.create(kind="duplicate_active", cause="two", order_id=attempt.order_id)
    assert read("tasks_open", kind="duplicate_active") == 1
    assert read("provisioning_duplicate_remote_orders") == 1
    tasks.close(Task.objects.get(), by="carol@example.jp", reason="terminated")
    assert read("provisioning_duplicate_remote_orders") == 0


def test_rounds_say_when_they_succeeded_and_what_they_did(read: Read) -> None:
    assert read("sweeper_last_success_timestamp_seconds", sweeper="provisioning.sweep") == 0
    rounds.run("provisioning.sweep", 1, lambda: {"woken": 3})
    succeeded = read("sweeper_last_success_timestamp_seconds", sweeper="provisioning.sweep")
    assert succeeded == pytest.approx(timezone.now().timestamp(), abs=60)
    assert read("sweeper_actions_total", sweeper="provisioning.sweep", action="woken") == 3


def test_a_pause_and_an_open_breaker_are_told(read: Read) -> None:
    assert (read("provisioning_paused"), read("provisioning_breaker_open")) == (0, 0)
    pause.pause(by="carol@example.jp", reason="upgrade")
    for _each in range(pause.BREAKS_AFTER):
        pause.note_unreachable()
    assert (read("provisioning_paused"), read("provisioning_breaker_open")) == (1, 1)


def test_queues_are_told_and_a_redis_that_is_away_too(read: Read, scrape: Callable[[], dict[Any, float]]) -> None:
    assert read("redis_up") == 1
    assert read("rq_workers", queue="provisioning") == 0
    with mock.patch("portal.metrics.queues._numbers", side_effect=RedisIsAway):
        samples = scrape()
    assert samples["portal_redis_up", frozenset()] == 0
    assert not [name for name, _labels in samples if name.startswith("portal_rq_")]


def test_a_database_that_is_away_leaves_no_number_and_no_trace_of_itself(
    client: Client, salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    arrive_and_run()
    collector.forget()
    with mock.patch("portal.metrics.collector.transaction.atomic", side_effect=OperationalError("host=10.0.0.7")):
        answer = client.get("/metrics")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "portal_database_up 0.0" in text
    assert "10.0.0.7" not in text
    assert "portal_provisioning_attempts_total" not in text


def test_a_query_that_takes_too_long_is_given_up(client: Client) -> None:
    def slow(_now: object) -> list[object]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(30)")
        return []

    with (
        mock.patch("portal.metrics.collector.STATEMENT_TIMEOUT_MS", 20),
        mock.patch("portal.metrics.provisioning.families", slow),
    ):
        assert "portal_database_up 0.0" in client.get("/metrics").content.decode()
    collector.forget()
    assert "portal_database_up 1.0" in client.get("/metrics").content.decode()


def test_scrapes_close_together_are_counted_once(client: Client, django_assert_num_queries: Any) -> None:
    client.get("/metrics")
    with django_assert_num_queries(0):
        client.get("/metrics")


def test_nothing_in_the_metrics_names_an_order_or_a_person(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, client: Client
) -> None:
    whmcs.trouble("add_order", no_answer())
    attempt = arrive_and_run()
    pause.pause(by="carol@example.jp", reason="Hanako Canary called")
    collector.forget()
    text = client.get("/metrics").content.decode()
    for secret in (ORDER, str(attempt.pk), attempt.idem_key, attempt.correlation_id, "carol", "Canary"):
        assert secret not in text
