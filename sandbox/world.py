"""The composition: every simulated system over one clock, one ledger and one state directory."""

from datetime import datetime

from sandbox.authority import open_authority
from sandbox.clock import Clock
from sandbox.config import Config
from sandbox.ledger import Ledger
from sandbox.salesforce.bus import Bus
from sandbox.salesforce.events import PROVISION_SCHEMA, PROVISION_TOPIC, SchemaRegistry
from sandbox.salesforce.org import Org
from sandbox.salesforce.pubsub.switchboard import Switchboard
from sandbox.salesforce.seed import seed
from sandbox.store import Store


class World:
    """Everything that exists outside of the portal. Used from one event loop only; nothing here waits."""

    def __init__(self, config: Config) -> None:
        config.state.mkdir(parents=True, exist_ok=True)
        self.config = config
        self.clock = Clock()
        self.authority = open_authority(config.state)
        self.ledger = Ledger(config.state / "ledger.db", self.clock)
        self.schemas = SchemaRegistry(config.state / "schemas")
        self.schemas.register(PROVISION_TOPIC, PROVISION_SCHEMA)
        self.bus = Bus(config.state / "bus.db", self.clock, self.ledger, self.schemas.encode)
        self._salesforce = Store(config.state / "salesforce.db")
        self.switchboard = Switchboard(config.keepalive_s)
        self.org = Org(self._salesforce, self.clock, self.ledger, self.bus)
        seed(self.org)

    def now(self) -> datetime:
        """The current moment in every system, aware, in UTC."""
        return self.clock.now()

    def close(self) -> None:
        """Release all files; everything is on disk already."""
        self._salesforce.close()
        self.bus.close()
        self.ledger.close()
