"""The health pages answer truthfully."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError
from django.test import Client

from provisioning import wakeups
from sandbox.embedded import redis


def test_live_answers_without_a_database(client: Client) -> None:
    with mock.patch("django.db.backends.utils.CursorWrapper.execute", side_effect=OperationalError):
        assert client.get("/health/live").json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_when_the_database_answers_and_is_migrated(client: Client) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["migrations_missing"]) == (200, 0)


@pytest.mark.django_db
def test_not_ready_when_the_database_is_gone(client: Client) -> None:
    with mock.patch("portal.health.connection.cursor", side_effect=OperationalError):
        answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "down")


@pytest.mark.django_db
def test_details_are_for_insiders_only(client: Client) -> None:
    outside = client.get("/health/sf-events", REMOTE_ADDR="203.0.113.9")
    assert set(outside.json()) == {"status"}
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404
    assert client.get("/metrics").status_code == 200


@pytest.mark.django_db
def test_an_insider_behind_the_proxy_needs_the_token(client: Client, settings: object) -> None:
    settings.HEALTH_TOKEN = "a-long-token"  # type: ignore[attr-defined]
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    headers = {"X-Forwarded-For": "203.0.113.9", "Authorization": "Bearer a-long-token"}
    assert client.get("/metrics", headers=headers).status_code == 200


@pytest.mark.django_db
def test_what_ready_found_is_for_insiders_only(client: Client) -> None:
    assert client.get("/health/ready", REMOTE_ADDR="203.0.113.9").json() == {"status": "ok"}


@pytest.mark.django_db
@pytest.mark.parametrize("claimed", ["127.0.0.1", "::1", "127.0.0.1, 127.0.0.1", ""])
@pytest.mark.parametrize("came_from", ["203.0.113.9", "127.0.0.1", ""])
def test_nobody_becomes_an_insider_by_saying_so(client: Client, claimed: str, came_from: str) -> None:
    """A proxy on this machine always names whom it speaks for, whatever they claim."""
    headers = {"X-Forwarded-For": claimed, "X-Real-IP": "127.0.0.1", "Authorization": "Bearer "}
    assert client.get("/metrics", headers=headers, REMOTE_ADDR=came_from).status_code == 404


@pytest.mark.django_db
def test_who_reaches_the_socket_itself_is_on_this_machine(client: Client) -> None:
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 200


@pytest.fixture
def redis_of_this_test(tmp_path: Path, settings: Any) -> Iterator[redis.Redis]:
    server = redis.start(tmp_path)
    settings.REDIS_URL = server.url
    wakeups.queue.cache_clear()
    yield server
    wakeups.queue.cache_clear()
    server.stop()


def test_a_redis_that_evicts_is_full_or_away_is_told_to_insiders(
    client: Client, redis_of_this_test: redis.Redis
) -> None:
    def status() -> str:
        return str(client.get("/health/deps").json()["redis"]["status"])

    server = wakeups.queue().connection
    assert status() == "ok"
    server.config_set("maxmemory", 1)
    assert status() == "full"
    server.config_set("maxmemory-policy", "allkeys-lru")
    assert status() == "evicts"
    redis_of_this_test.stop()
    assert status() == "down"
    assert client.get("/health/deps", REMOTE_ADDR="203.0.113.9").status_code == 404
