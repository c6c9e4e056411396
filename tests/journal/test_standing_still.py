"""A process that stood still between its permission to call and the call, with the outside world on the wire."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from integrations import gateway
from integrations.errors import Unavailable
from journal import calls
from journal.models import RemoteCall
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("sandbox")]
EMAIL = "aiko.stood.still@example.jp"


def add_client() -> int:
    return gateway.whmcs().add_client(
        email=EMAIL, given_name="Aiko", family_name="Sato", language="ja", customer_number="104990"
    )


def once(owner: str, fence: Callable[[], None]) -> int:
    return calls.once(
        subject="journey:aiko",
        operation="whmcs.AddClient",
        owner=owner,
        deadline_s=30,
        look_up=lambda: None,
        call=add_client,
        fence=fence,
        record=lambda number: {"client": number},
    )


def test_who_stood_still_after_the_fence_sends_nothing_and_somebody_else_may(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sandbox.last_ledger_id()
    slept = 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + slept)
    monkeypatch.setattr("integrations.deadline.time", clock)
    monkeypatch.setattr("integrations.http.time", clock)

    def stand_still() -> None:
        nonlocal slept
        slept = 600.0

    with pytest.raises(Unavailable):
        once("attempt:1", stand_still)

    assert sandbox.ledger(after=before, system="whmcs", operation="AddClient") == []
    assert RemoteCall.objects.get().state == RemoteCall.State.FAILED  # nothing was sent: no quarantine
    assert once("attempt:2", lambda: None) > 0
    assert len(sandbox.ledger(after=before, system="whmcs", operation="AddClient")) == 1
