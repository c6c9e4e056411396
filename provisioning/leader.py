"""Exactly one subscriber leads: it holds a PostgreSQL advisory lock on a connection of its own.

The lock saves work, it does not make things right: that is done by the epoch, which every write of a leader names.
A leader that is frozen cannot answer for its connection, so PostgreSQL ends it and the lock is free.
"""

import contextlib
import os
import socket
import time
import zlib
from typing import Any

import psycopg
import structlog
from django.db import Error as DatabaseFault
from django.db import connection

from provisioning import cursor
from provisioning.intake import StaleLeader

log = structlog.get_logger(__name__)

LOCK_SPACE = 7203  # first half of our two-part advisory locks
CONNECT = {"connect_timeout": 5, "tcp_user_timeout": 10_000}


class LostLeadership(Exception):
    """The connection that held the lock is gone."""


class Leadership:
    """The lock, and the epoch that began with it. Belongs to one thread."""

    def __init__(self, *, topic: str, epoch: int, lock: "psycopg.Connection[Any]", ping_s: float) -> None:
        self.topic, self.epoch = topic, epoch
        self._lock, self._ping_s = lock, ping_s
        self._pinged_at = time.monotonic()

    def hold(self) -> None:
        """Call it often: keeps the lock's connection from counting as idle. Raises LostLeadership."""
        if time.monotonic() - self._pinged_at < self._ping_s:
            return
        try:
            self._lock.execute("SELECT 1")
        except psycopg.Error as error:
            raise LostLeadership(self.topic) from error
        self._pinged_at = time.monotonic()

    def resign(self) -> None:
        """Says so in the cursor's row and gives the lock back. Does what it can; never raises."""
        try:
            cursor.resigned(topic=self.topic, leader_epoch=self.epoch)
        except (DatabaseFault, StaleLeader):
            log.warning("resignation_not_noted", topic=self.topic, epoch=self.epoch)
        # Unlocking first: PostgreSQL may take a moment to notice that a connection was closed.
        with contextlib.suppress(psycopg.Error):
            self._lock.execute("SELECT pg_advisory_unlock_all()")
        self._lock.close()


def lead(*, topic: str, wait_s: float) -> Leadership | None:
    """Leadership of the topic, or None while another process has it.

    A leader silent for twice `wait_s` loses the lock. Those who stand by ask twice in `wait_s`, so that another one
    leads after two and a half times `wait_s` at the latest. Raises django.db.Error or psycopg.Error.
    """
    lock = psycopg.connect(**{**connection.get_connection_params(), **CONNECT}, autocommit=True)
    try:
        if not _locked(lock, topic):
            lock.close()
            return None
        lock.execute("SELECT set_config('idle_session_timeout', %s, false)", [f"{round(wait_s * 2000)}ms"])
        epoch = cursor.take_over(topic=topic, leader=f"{socket.gethostname()}:{os.getpid()}")
    except BaseException:
        lock.close()
        raise
    return Leadership(topic=topic, epoch=epoch, lock=lock, ping_s=wait_s / 2)


def somebody_leads(topic: str) -> bool:
    """Whether any process holds the lock now, as PostgreSQL sees it."""
    with connection.cursor() as row:
        row.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE datname = current_database() AND locktype = 'advisory' AND granted"
            " AND classid = %s AND objid = %s AND objsubid = 2)",
            [LOCK_SPACE, _number(topic)],
        )
        (found,) = row.fetchone() or (False,)
    return bool(found)


def _locked(lock: "psycopg.Connection[Any]", topic: str) -> bool:
    row = lock.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, _number(topic)]).fetchone()
    return bool(row and row[0])


def _number(topic: str) -> int:
    return zlib.crc32(topic.encode()) & 0x7FFF_FFFF
