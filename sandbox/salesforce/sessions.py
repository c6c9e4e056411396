"""Access tokens: who signed in, and until when (salesforce-wire.md, section 2)."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.clock import Clock
from sandbox.store import Store

# Two hours since last use is the org's default.
LIFETIME = timedelta(hours=2)
# Writing each use down would turn every read into a write; a minute is exact enough for two hours.
_NOTE_USE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Session:
    """A live session: its token and the id of the user it acts for."""

    token: str
    user_id: str


class Sessions:
    """Opens, finds and ends sessions; they outlive a restart."""

    def __init__(self, store: Store, clock: Clock, organization_id: str) -> None:
        self._clock = clock
        self._organization_id = organization_id
        self._table = store.table("session", indexes=("user_id",))

    def open(self, user_id: str) -> Session:
        """A session for the user: the one that lives already, else a new one."""
        for record in self._table.find("user_id", user_id):
            if self._lives(record["used_at"]):
                return Session(record["token"], user_id)
        token = f"{self._organization_id[:15]}!{secrets.token_urlsafe(64)}"
        self._note_use(token, user_id)
        return Session(token, user_id)

    def find(self, token: str) -> Session | None:
        """The live session of a token, which counts as used now; None when there is none."""
        record = self._table.get(token)
        if record is None or not self._lives(record["used_at"]):
            return None
        if self._clock.now() - datetime.fromisoformat(record["used_at"]) >= _NOTE_USE_EVERY:
            self._note_use(token, record["user_id"])
        return Session(token, record["user_id"])

    def end(self, token: str) -> bool:
        """Revoke a token; False when there was no such session."""
        known = self._table.get(token) is not None
        self._table.delete(token)
        return known

    def end_all(self) -> None:
        """Revoke every token, as an administrator may at any time."""
        for record in list(self._table.all()):
            self._table.delete(record["token"])

    def _lives(self, used_at: str) -> bool:
        return self._clock.now() - datetime.fromisoformat(used_at) < LIFETIME

    def _note_use(self, token: str, user_id: str) -> None:
        used_at = self._clock.now().isoformat()
        self._table.put(token, {"token": token, "user_id": user_id, "used_at": used_at})
