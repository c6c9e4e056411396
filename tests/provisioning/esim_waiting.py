"""Attempts that wait for the eSIM provider's ticket, and the sweep that asks for it."""

from datetime import timedelta

from django.utils import timezone

from provisioning import sweepers
from provisioning.models import Attempt
from tests.provisioning.conftest import arrive_and_run
from tests.provisioning.esim_double import ESimDouble

HOUR = timedelta(hours=1)


def check_now() -> int:
    """The tickets' time has come, and the sweep asks."""
    Attempt.objects.filter(state="WAITING").update(check_at=timezone.now() - HOUR)
    return sweepers.requeue_waiting()


def waits(provider: ESimDouble) -> Attempt:
    """An attempt whose ticket the provider accepted and leaves open."""
    provider.pace = "accepted"
    attempt = arrive_and_run()
    assert attempt.state == "WAITING"
    return attempt


def the_attempt() -> Attempt:
    return Attempt.objects.get()
