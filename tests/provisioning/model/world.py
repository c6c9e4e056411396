"""Everything outside the portal: both systems behind their wires, the queue of wake-ups, and the clock."""

from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import pytest
from django.core.cache import cache
from redis.exceptions import ConnectionError as RedisAway

from integrations import gateway
from integrations.errors import Rejected
from provisioning.whmcs_products import KEY
from tests.provisioning.doubles import WhmcsDouble, order
from tests.provisioning.esim_double import esim_order
from tests.provisioning.model.clock import ModelClock
from tests.provisioning.model.judge import Judge
from tests.provisioning.model.provider import ModelProvider
from tests.provisioning.model.salesforce import ModelSalesforce
from tests.provisioning.model.wire import Late, Wire

ORDERS = ("801000000000001AAA", "801000000000002AAA", "801000000000003AAA")
"""Three orders of one customer: their services are told apart by the mark alone."""
ESIM_ORDER = ORDERS[2]
TOPIC = "/event/OrderProvisionRequested__e"


@dataclass
class WakeUps:
    """The queue of workers' jobs, which carry nothing."""

    jobs: int = 0
    is_away: bool = False

    def enqueue(self, _function: str) -> None:
        if self.is_away:
            raise RedisAway("connection refused")
        self.jobs += 1


@dataclass
class World:
    clock: ModelClock
    patch: pytest.MonkeyPatch
    wake_ups: WakeUps = field(default_factory=WakeUps)

    def __post_init__(self) -> None:
        cache.delete(KEY)
        self.salesforce = ModelSalesforce(now=self.clock.now)
        self.whmcs = WhmcsDouble()
        self.provider = ModelProvider()
        for order_id in ORDERS:
            made = esim_order if order_id == ESIM_ORDER else order
            row = made(id=order_id, status="Draft", activation_status="", last_idem_key="")
            self.salesforce.orders[order_id] = row
            self.salesforce.modstamps[order_id] = self.clock.now()
        self.judge = Judge(self.salesforce, self.whmcs, self.provider, self.clock)
        self.salesforce.on_report = self.judge.reported
        remotes = {"salesforce": self.salesforce, "whmcs": self.whmcs, "esim": self.provider}
        self.wires = {name: Wire(name, remote, self.judge, self.clock.monotonic) for name, remote in remotes.items()}
        self.judge.late = self.late
        for name in remotes:
            self.patch.setattr(gateway, name, partial(self.wires.get, name))
        self.patch.setattr("provisioning.wakeups.queue", lambda: self.wake_ups)
        self.patch.setattr("notifications.outgoing.wake", lambda *_job: None)  # nobody sends the mails
        self.patch.setattr("support.cases.wake", lambda *_job: None)
        self.patch.setattr("provisioning.outbox.secrets.randbelow", lambda most: most // 2)

    def forget_faults(self) -> None:
        for wire in self.wires.values():
            wire.faults.clear()

    def late(self) -> list[Late]:
        return [each for wire in self.wires.values() for each in wire.late]

    def land(self, late: Late) -> None:
        """A request that nobody waits for any more is carried out, if it still can be."""
        for wire in self.wires.values():
            if late in wire.late:
                wire.late.remove(late)
        with suppress(Rejected):
            late.carry_out()

    def advance(self, seconds: float) -> None:
        """Time passes; what must have been carried out by then is."""
        then = self.clock.monotonic() + seconds
        for late in self.late():
            if late.until <= then:
                self.land(late)
        self.clock.advance(seconds)
