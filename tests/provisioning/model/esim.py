"""The machine with an eSIM provider: one of the orders needs a line before AddOrder, and waits for its ticket."""

from django.conf import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from provisioning.waiting import RAREST_CHECK_S
from tests.provisioning.model.machine import INDEX, LOSSES, PASSING, ProvisioningMachine
from tests.provisioning.model.points import ACTIVATE, Mishap, mishaps, points
from tests.provisioning.model.provider import BUSY
from tests.provisioning.model.world import ESIM_ORDER

MEANWHILE = st.sampled_from(["cancels", "asks again", "staff", "no card", "closed", "too long"])


class MachineWithESim(ProvisioningMachine):
    @rule(mishaps=mishaps("esim"))
    def ask_for_esim(self, mishaps: list[Mishap]) -> None:
        self.ask_and_work(ESIM_ORDER, mishaps)

    @rule(pace=st.sampled_from(["accepted", "accepted", "done", BUSY]), refuses=st.booleans(), is_closed=st.booleans())
    def provider_changes(self, pace: str, refuses: bool, is_closed: bool) -> None:
        """How far new tickets get by themselves, whether it knows a line by its name, and whether it works at all."""
        self.world.provider.pace, self.world.provider.refuses_second_line = pace, refuses
        self.world.wires["esim"].is_closed = is_closed

    @precondition(lambda self: self.world.provider.open_tickets())
    @rule(index=INDEX, failed=st.booleans(), at_sweep=mishaps("sweep"), at_work=mishaps("esim"))
    def ticket_ends(self, index: int, failed: bool, at_sweep: list[Mishap], at_work: list[Mishap]) -> None:
        """The provider is done, or cannot; the sweep sees it, and a worker goes on."""
        tickets = self.world.provider.open_tickets()
        self.world.provider.end(tickets[index % len(tickets)], failed=failed)
        self.sweep(RAREST_CHECK_S, at_sweep)
        if self.world.wake_ups.jobs:
            self.start_worker(at_work)

    @rule(meanwhile=MEANWHILE, failed=st.booleans())
    def while_it_waits(self, meanwhile: str, failed: bool) -> None:
        """People change their minds and time passes between a ticket and its end."""
        self.ask_and_work(ESIM_ORDER, [])
        if meanwhile == "cancels":
            self.customer_cancels(ESIM_ORDER)
        elif meanwhile == "asks again":
            self.ask(ESIM_ORDER)
            self.deliver([], 0, 9)
        elif meanwhile == "staff":
            self.staff_decides(ESIM_ORDER, "mark_failed", [])
        elif meanwhile == "no card":
            self.customer_and_card(False)
        elif meanwhile == "closed":
            self.provider_changes("accepted", False, True)
            self.sweep(RAREST_CHECK_S, [])
        else:
            self.sweep(settings.ESIM_GIVE_UP_S + RAREST_CHECK_S, [])
        if self.world.provider.open_tickets():
            self.ticket_ends(0, failed, [], [])

    @rule(at=st.sampled_from(points("esim")))
    def esim_worker_is_left_behind(self, at: str) -> None:
        self.worker_is_left_behind(ESIM_ORDER, at)

    @rule(kind=LOSSES, then=PASSING, failed=st.booleans())
    def answer_of_activation_is_lost(self, kind: str, then: int, failed: bool) -> None:
        """The sweep looks, the ticket may end, and somebody asks again."""
        self.answer_is_lost(ESIM_ORDER, ACTIVATE, kind, then)
        if self.world.provider.open_tickets():
            self.ticket_ends(0, failed, [], [])
