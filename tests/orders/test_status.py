"""What the customer is told: every combination of the three states gives one of eight, in both languages."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override

from orders.board import view
from orders.models import Order
from orders.status import FINAL, Status, status_of
from tests.people import make_customer

AT = datetime(2026, 11, 20, 1, 12, tzinfo=UTC)


def begun(columns: dict[str, Any]) -> dict[str, Any]:
    """Lengths of time as the moments that long ago."""
    return {name: timezone.now() - value if isinstance(value, timedelta) else value for name, value in columns.items()}


def order(**columns: Any) -> Order:
    return Order(**{"local_state": "placed", "category": "SIM", "created_at": AT, "number": "SX-4827-193", **columns})


@pytest.mark.parametrize(
    ("columns", "status"),
    [
        ({"local_state": "submitted"}, Status.SUBMITTED),
        ({"local_state": "refused"}, Status.CANCELLED),
        ({}, Status.PENDING_REVIEW),
        ({"sf_status": "Draft"}, Status.PENDING_REVIEW),
        ({"sf_status": "Pending Review", "sf_activation_status": "Pending Review"}, Status.PENDING_REVIEW),
        ({"sf_status": "Approved", "sf_activation_status": "Pending Review"}, Status.APPROVED),
        ({"sf_status": "Approved", "sf_activation_status": "Activating"}, Status.ACTIVATING),
        ({"sf_status": "Approved", "sf_activation_status": "Failed"}, Status.FAILED),
        ({"sf_status": "Activated", "sf_activation_status": "Provisioned"}, Status.PROVISIONED),
        ({"sf_status": "Cancelled", "sf_activation_status": "Pending Review"}, Status.CANCELLED),
        ({"sf_status": "Approved", "progress": "Activating"}, Status.ACTIVATING),
        ({"sf_status": "Approved", "progress": "Checking"}, Status.CHECKING),
        ({"sf_status": "Approved", "progress": "Failed"}, Status.FAILED),
        ({"sf_status": "Approved", "progress": "Provisioned"}, Status.PROVISIONED),
        # a live attempt wins over a mirrored Failed; UNKNOWN is reported as Failed but shown as checking
        ({"sf_activation_status": "Failed", "progress": "Checking"}, Status.CHECKING),
        ({"sf_activation_status": "Failed", "progress": "Activating"}, Status.ACTIVATING),
        ({"sf_activation_status": "Activating", "progress": "Failed"}, Status.FAILED),
        ({"sf_activation_status": "Provisioned", "progress": "Failed"}, Status.PROVISIONED),
        ({"sf_activation_status": "Failed", "progress": "Provisioned"}, Status.PROVISIONED),
        ({"sf_status": "Cancelled", "progress": "Activating"}, Status.CANCELLED),
        # one that customer support activated before there was a portal
        ({"sf_status": "Activated"}, Status.PROVISIONED),
        ({"sf_status": "Activated", "progress": "Failed"}, Status.FAILED),
    ],
)
def test_one_status_for_every_combination(columns: dict[str, str], status: Status) -> None:
    assert status_of(order(**columns)) is status


@pytest.mark.django_db
def test_the_filters_of_the_list_agree_with_the_status() -> None:
    user = make_customer()
    for number, (local, sf, activation, progress) in enumerate(
        itertools.product(
            Order.Local.values,
            ("", "Draft", "Pending Review", "Approved", "Activated", "Cancelled"),
            ("", "Pending Review", "Activating", "Provisioned", "Failed"),
            Order.Progress.values,
        )
    ):
        states = {"local_state": local, "sf_status": sf, "sf_activation_status": activation, "progress": progress}
        Order.objects.create(
            user=user, portal_ref=str(number), cart_hash=str(number), category="VPN", terms_version="", **states
        )
    mine = Order.objects.for_user(user)
    for part, statuses in (
        (mine.active(), {Status.PROVISIONED}),
        (mine.cancelled(), {Status.CANCELLED}),
        (mine.under_way(), set(Status) - {Status.PROVISIONED, Status.CANCELLED}),
    ):
        assert {order.pk for order in part} == {order.pk for order in mine if status_of(order) in statuses}


BOARD = {
    Status.SUBMITTED: ({"local_state": "submitted"}, "info", "", "In review", ["now", "next", "next", "next"]),
    Status.PENDING_REVIEW: ({}, "info", "Order placed", "Activation", ["done", "now", "next", "next"]),
    Status.APPROVED: ({"sf_status": "Approved"}, "info", "In review", "Activation", ["done", "now", "next", "next"]),
    Status.ACTIVATING: ({"progress": "Activating"}, "info", "Approved", "Active", ["done", "done", "now", "next"]),
    Status.CHECKING: ({"progress": "Checking"}, "warn", "Approved", "Active", ["done", "done", "late", "next"]),
    Status.PROVISIONED: ({"progress": "Provisioned"}, "ok", "Activation", "", ["done", "done", "done"]),
    Status.FAILED: ({"progress": "Failed"}, "warn", "Approved", "Active", ["done", "done", "late", "next"]),
    Status.CANCELLED: ({"sf_status": "Cancelled"}, "danger", "Order placed", "", ["done", "failed"]),
}


@pytest.mark.parametrize("status", list(Status))
def test_board_band_and_line(status: Status) -> None:
    columns, kind, before, after, stops = BOARD[status]
    shown = view(order(**columns))
    assert (shown.status, shown.kind, shown.before, shown.after) == (status, kind, before, after)
    assert [stop.state for stop in shown.stops] == stops
    assert shown.final is (status in FINAL)


def test_only_three_states_are_final() -> None:
    assert {Status.PROVISIONED, Status.FAILED, Status.CANCELLED} == FINAL


@pytest.mark.parametrize("category", ["Internet", "SIM", "VPN"])
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("status", list(Status))
def test_no_error_no_code_no_inner_system(status: Status, language: str, category: str) -> None:
    columns = BOARD[status][0] | {"sf_activation_error": "whmcs_rejected: pid 101 refused", "category": category}
    with override(language):
        shown = view(order(**columns, refusal="invalid_field"))
    words = repr(shown)
    for inner in ("whmcs", "WHMCS", "Salesforce", "pid", "invalid_field"):
        assert inner not in words
    assert shown.name
    assert shown.sentence


def test_a_refused_order_says_so_plainly() -> None:
    shown = view(order(local_state="refused"))
    assert (shown.name, shown.final) == ("Not accepted", True)
    assert "nothing was charged" in shown.sentence


def test_times_stand_at_their_stops() -> None:
    later = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    shown = view(order(progress="Provisioned", approved_at=AT, provisioned_at=later))
    assert [stop.at for stop in shown.stops] == [AT, AT, later]


@pytest.mark.parametrize(
    ("columns", "waits", "late"),
    [
        ({"local_state": "submitted", "created_at": timedelta(minutes=30)}, False, False),
        ({"local_state": "submitted", "created_at": timedelta(minutes=90)}, False, True),
        ({"local_state": "submitted", "created_at": timedelta(days=3)}, True, False),
        ({"local_state": "submitted", "created_at": timedelta(days=5)}, True, True),
        ({"created_at": timedelta(days=9), "placed_at": timedelta(days=3)}, False, False),
        ({"created_at": timedelta(days=9), "placed_at": timedelta(days=5)}, False, True),
        ({"created_at": timedelta(days=5)}, False, True),
        ({"progress": "Activating", "approved_at": timedelta(hours=2)}, False, True),
        ({"progress": "Activating", "approved_at": timedelta(hours=2), "category": "Internet"}, False, False),
        ({"progress": "Activating", "approved_at": timedelta(days=15), "category": "Internet"}, False, True),
        ({"progress": "Failed", "approved_at": timedelta(minutes=1)}, False, True),
    ],
)
def test_late_is_later_than_was_said_from_when_it_was_said(columns: dict[str, Any], waits: bool, late: bool) -> None:
    assert view(order(**begun(columns)), confirming=waits).late is late


@pytest.mark.parametrize(
    ("columns", "delayed"),
    [
        ({"created_at": timedelta(seconds=5)}, False),
        ({"created_at": timedelta(seconds=5), "tries": 1}, True),
        ({"created_at": timedelta(minutes=2)}, True),
    ],
)
def test_who_ordered_one_thing_is_told_that_placing_is_delayed(columns: dict[str, Any], delayed: bool) -> None:
    submitted = order(local_state="submitted", **begun(columns))
    assert ("nothing is lost, nothing is ordered twice" in view(submitted).sentence) is delayed
    assert "nothing is ordered twice" not in view(submitted, confirming=True).sentence


def test_the_time_that_is_told_is_that_of_the_service() -> None:
    for category, when, sentence in (
        ("Internet", "on the engineer’s date, usually within 14 days", "usually within 14 days"),
        ("SIM", "mostly a few minutes", "mostly takes a few minutes"),
        ("VPN", "mostly a few minutes", "mostly takes a few minutes"),
        ("", "", "setting up your service now."),
    ):
        assert view(order(category=category)).stops[-2].when == when
        assert sentence in view(order(category=category, progress="Activating")).sentence
