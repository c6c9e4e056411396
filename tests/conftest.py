"""Real PostgreSQL and Redis for every test, the sandbox for those that ask.

The servers start when this file is read, before Django's settings are; xdist's workers inherit them by environment.
"""

import atexit
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import environment
from tests.sandbox_process import Sandbox

ROOT = Path(__file__).resolve().parent.parent
WITHOUT_DJANGO = "no:django" in sys.argv


def _start_servers() -> None:
    from sandbox.embedded import postgres, redis

    state = Path(tempfile.mkdtemp(prefix="portal-tests-"))
    database, queue = postgres.start(state, durable=False), redis.start(state)
    os.environ |= {"DATABASE_URL": database.url, "REDIS_URL": queue.url, "PORTAL_TEST_STATE": str(state)}
    atexit.register(database.stop)
    atexit.register(queue.stop)


def _redis_of_our_own(url: str) -> str:
    """A database of the same Redis that no other process of this run uses (xdist names its workers too late for us)."""
    from redis import Redis

    server = url.rsplit("/", 1)[0]
    with Redis.from_url(f"{server}/0") as counter:
        return f"{server}/{counter.incr('portal-tests:databases')}"


def _prepare() -> None:
    if "PORTAL_TEST_STATE" not in os.environ:
        _start_servers()
    os.environ["REDIS_URL"] = _redis_of_our_own(os.environ["REDIS_URL"])
    environment.fill()
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    import django

    django.setup()
    # xdist's workers inherit the environment: with this name in it pytest-django would load their settings before us.
    del os.environ["DJANGO_SETTINGS_MODULE"]
    from portal.translations import compile_all

    compile_all()


pytest_plugins = ["tests.event_bus", "tests.faults"]
if not WITHOUT_DJANGO:
    _prepare()
    pytest_plugins += ["tests.people"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Tests that commit empty every table afterwards, which the audit trail refuses everywhere else."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER audit_keep_all")


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    process = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


@pytest.fixture
def sandbox(sandbox_process: Sandbox, settings: Any) -> Iterator[Sandbox]:
    """The outside world, on the wire; the portal's settings name it for the length of the test."""
    from integrations import gateway
    from sandbox.environment import portal_environment

    values = portal_environment(sandbox_process.urls)
    for name, value in values.items():
        setattr(settings, name, value)
    settings.SF_TOKEN_URL = f"{values['SF_LOGIN_URL']}/services/oauth2/token"
    settings.SF_INSTANCE_HOSTS = [values["SF_INSTANCE_HOSTS"]]
    settings.SF_PRIVATE_KEY = Path(values["SF_PRIVATE_KEY_PATH"]).read_text()
    settings.WHMCS_CUSTOMER_NUMBER_FIELD_ID = int(values["WHMCS_CUSTOMER_NUMBER_FIELD_ID"])
    settings.WHMCS_SSO_ORIGINS = [values["WHMCS_SSO_ORIGINS"]]
    gateway.forget()
    yield sandbox_process
    gateway.forget()


@pytest.fixture(autouse=True)
def _english() -> None:
    """Each test begins in English; a request in Japanese would leave its thread so."""
    if not WITHOUT_DJANGO:
        from django.utils.translation import activate

        activate("en")


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Each test begins with empty queues."""
    if not WITHOUT_DJANGO:
        import django_rq

        django_rq.get_connection("housekeeping").flushdb()


@pytest.fixture(autouse=True)
def _no_kept_pages() -> None:
    """Each test begins in a process that has shown no page yet."""
    if not WITHOUT_DJANGO:
        from catalog import kept_pages

        kept_pages.forget()
