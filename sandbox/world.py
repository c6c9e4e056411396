"""The composition: every simulated system over one clock, one ledger and one state directory."""

import fcntl
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TextIO

from sandbox.authority import open_authority
from sandbox.clock import Clock
from sandbox.config import Config
from sandbox.esim.provider import Provider
from sandbox.faults.book import Faults
from sandbox.faults.ports import Ports
from sandbox.ledger import Ledger
from sandbox.mail.mailbox import Mailbox
from sandbox.planting import plant
from sandbox.salesforce.bus import Bus
from sandbox.salesforce.changes import Changes
from sandbox.salesforce.events import SchemaRegistry, platform_event_schema
from sandbox.salesforce.logins import Logins
from sandbox.salesforce.mishaps import Mishaps
from sandbox.salesforce.org import Org
from sandbox.salesforce.pubsub.mishaps import DeliveryMishaps, EventMishaps
from sandbox.salesforce.pubsub.switchboard import Switchboard
from sandbox.salesforce.schema_files import SchemaError
from sandbox.salesforce.seed import seed
from sandbox.salesforce.topics import Topics
from sandbox.store import Store
from sandbox.whmcs.install import Whmcs


class StateTaken(Exception):
    """Another sandbox runs on this state directory: two memories over one disk would lose what the other knows."""

    def __init__(self, state: Path) -> None:
        super().__init__(f"Another sandbox is using the state directory {state}; stop it or choose another --state.")


def has_state(folder: Path) -> bool:
    """Whether a sandbox was ever started on this folder, with success."""
    if not (folder / "salesforce.db").exists():
        return False
    with closing(sqlite3.connect(folder / "salesforce.db")) as database:
        return database.execute("SELECT 1 FROM records WHERE kind = 'User' LIMIT 1").fetchone() is not None


def require_alone(folder: Path) -> None:
    """Raises StateTaken when a sandbox runs on this folder now."""
    if folder.exists():
        _lock(folder).close()


class World:
    """Everything that exists outside of the portal. Used from one event loop only; nothing here waits."""

    def __init__(self, config: Config) -> None:
        """Open or make everything in the state directory. Raises StateTaken, SchemaError or SeedError."""
        state = config.state
        state.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(state)
        self.config = config
        self.clock = Clock(state / "clock.json")
        self.authority = open_authority(state)
        self.ledger = Ledger(state / "ledger.db", self.clock)
        self.schemas = SchemaRegistry(state / "schemas")
        self.bus = Bus(state / "bus.db", self.clock, self.ledger, self.schemas.encode)
        # What keeps a file of its own beside the stores; `sandbox.state` writes it down too.
        self.databases = {"bus": state / "bus.db", "ledger": state / "ledger.db"}
        self.switchboard = Switchboard(config.keepalive_s)
        self.stores = {name: Store(state / f"{name}.db") for name in ("salesforce", "whmcs", "esim", "mail", "faults")}
        self.faults = Faults(self.stores["faults"], self.clock, self.ledger)
        self.ports = Ports(self.faults)
        self.deliveries = DeliveryMishaps(self.faults, self.switchboard)
        self.bus.mishaps = EventMishaps(self.faults, self.schemas)
        self.faults.watch(self.deliveries.follow)
        self.org = Org(self.stores["salesforce"], self.clock, self.ledger, self.bus, config.schemas)
        # Here and not where it is served: an import only knows the kinds of records that were declared before it.
        self.logins = Logins(self.org)
        self.mailbox = Mailbox(self.stores["mail"], self.clock, self.ledger)
        self.whmcs = Whmcs(self.stores["whmcs"], self.clock, self.ledger, config, self.mailbox, self.faults)
        self.mishaps = Mishaps(self.faults)
        self.org.before_write = self.mishaps.before_write
        self.esim = Provider(self.stores["esim"], self.clock, self.ledger)
        for event in (each for each in self.org.schema if each.event):
            self.schemas.register(f"/event/{event.name}", platform_event_schema(event))
        self.topics = Topics(self.schemas, self.stores["salesforce"])
        if not len(self.org.table("User")):
            self._fill()
        # After the seed: what the org begins with did not change.
        self.changes = Changes(self.org, self.schemas)
        self._open_channels()

    def now(self) -> datetime:
        """The current moment in every system, aware, in UTC."""
        return self.clock.now()

    def _open_channels(self) -> None:
        try:
            for name, members in self.org.schema.channels.items():
                self.topics.put_channel(name, members)
        except ValueError as error:
            self.close()
            raise SchemaError(str(error)) from error

    def _fill(self) -> None:
        """Give a new state what it begins with, all of it or nothing."""
        try:
            with self.stores["salesforce"].trial(), self.stores["whmcs"].trial():
                seed(self.org, shop=self.config.seed_data == "shop")
                if self.config.seed_data == "none":
                    self.whmcs.products.close_shop()
                plant(self.org, self.whmcs, self.config.seeds)
        except BaseException:
            self.close()
            raise

    def reload(self) -> None:
        """Let go of what is known of a state that was replaced on disk."""
        self.faults.reload()
        self.schemas.reload()
        self.bus.reload()

    def close(self) -> None:
        """Release all files; everything is on disk already."""
        for store in self.stores.values():
            store.close()
        self.bus.close()
        self.ledger.close()
        self._lock.close()


def _lock(state: Path) -> TextIO:
    """Hold the directory until the file is closed or the process ends."""
    file = (state / "lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise StateTaken(state) from error
    return file
