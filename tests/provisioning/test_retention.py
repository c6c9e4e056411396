"""Payloads go after 90 days; what makes an event known stays."""

from datetime import timedelta

import pytest
from django.utils import timezone

from provisioning import retention
from provisioning.attempts import end, transition
from provisioning.intake import store
from provisioning.models import Attempt, InboxEvent
from tests.provisioning.responses import ORDERS, TOPIC, lead_now, received, response

pytestmark = pytest.mark.django_db
OLD, YOUNG = timedelta(days=90, minutes=1), timedelta(days=89, hours=23)


def stored(age: timedelta, **fields: str) -> InboxEvent:
    event = received(**fields)
    store(topic=TOPIC, leader_epoch=lead_now(), response=response(event))
    InboxEvent.objects.filter(event_uuid=event.event_uuid).update(received_at=timezone.now() - age)
    return InboxEvent.objects.get(event_uuid=event.event_uuid)


def test_payloads_older_than_90_days_are_forgotten_and_younger_ones_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_A_TIME", 2)
    old, young = [stored(OLD) for _ in range(5)], stored(YOUNG)
    assert retention.forget_payloads() == {"payloads": 5}
    assert {bytes(row.payload) for row in InboxEvent.objects.filter(pk__in=[each.pk for each in old])} == {b""}
    assert bytes(InboxEvent.objects.get(pk=young.pk).payload) == b"payload"
    assert retention.forget_payloads() == {"payloads": 0}


def test_an_event_that_comes_again_after_its_payload_is_gone_is_still_known() -> None:
    row = stored(OLD, IdemKey__c=f"{ORDERS[0]}-2026-11-21 01:02:03Z-1")
    attempt = Attempt.objects.get()
    transition(attempt_id=attempt.pk, to="RUNNING")
    end(attempt_id=attempt.pk, to="FAILED")
    retention.forget_payloads()
    epoch = lead_now()
    again = response(received(row.event_uuid))
    assert store(topic=TOPIC, leader_epoch=epoch, response=again) == 0
    same_key = received(IdemKey__c=row.idem_key)
    store(topic=TOPIC, leader_epoch=epoch, response=response(same_key))
    assert InboxEvent.objects.get(event_uuid=same_key.event_uuid).state == "duplicate"
    assert Attempt.objects.count() == 1
