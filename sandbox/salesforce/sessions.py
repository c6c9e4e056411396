"""Access tokens: who signed in, and until when (salesforce-wire.md, section 2)."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.clock import Clock
from sandbox.store import Record, Store

# Two hours since last use is the org's default.
LIFETIME = timedelta(hours=2)
# Writing each use down would turn every read into a write; a minute is exact enough for two hours.
_NOTE_USE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Session:
    """A live session: its token, the user it acts for, and the OAuth client it was opened by, if any.

    Used until `expires_at` it lives on; not used, it ends then.
    """

    token: str
    user_id: str
    client_id: str
    issued_at: datetime
    expires_at: datetime


class Sessions:
    """Opens, finds and ends sessions; they outlive a restart."""

    def __init__(self, store: Store, clock: Clock, organization_id: str) -> None:
        self._clock = clock
        self._organization_id = organization_id
        self._table = store.table("session", indexes=("user_id",))

    def open(self, user_id: str, client_id: str = "") -> Session:
        """A session for the user at the client: the one that lives already, else a new one."""
        for record in self._table.find("user_id", user_id):
            if self._lives(record) and record.get("client_id", "") == client_id:
                return _session(record)
        now = self._clock.now().isoformat()
        token = f"{self._organization_id[:15]}!{secrets.token_urlsafe(64)}"
        record = {"token": token, "user_id": user_id, "client_id": client_id, "issued_at": now, "used_at": now}
        self._table.put(token, record)
        return _session(record)

    def find(self, token: str) -> Session | None:
        """The live session of a token, which counts as used now; None when there is none."""
        record = self._table.get(token)
        if record is None or not self._lives(record):
            return None
        now = self._clock.now()
        if now - datetime.fromisoformat(record["used_at"]) >= _NOTE_USE_EVERY:
            record = {**record, "used_at": now.isoformat()}
            self._table.put(token, record)
        return _session(record)

    def peek(self, token: str) -> Session | None:
        """The live session of a token, without using it."""
        record = self._table.get(token)
        return None if record is None or not self._lives(record) else _session(record)

    def end(self, token: str) -> bool:
        """Revoke a token; False when there was no such session."""
        known = self._table.get(token) is not None
        self._table.delete(token)
        return known

    def end_all(self) -> None:
        """Revoke every token, as an administrator may at any time."""
        for record in list(self._table.all()):
            self._table.delete(record["token"])

    def _lives(self, record: Record) -> bool:
        return self._clock.now() < _session(record).expires_at


def _session(record: Record) -> Session:
    used_at = datetime.fromisoformat(record["used_at"])
    issued_at = datetime.fromisoformat(record.get("issued_at", record["used_at"]))
    return Session(record["token"], record["user_id"], record.get("client_id", ""), issued_at, used_at + LIFETIME)
