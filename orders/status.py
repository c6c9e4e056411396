"""The one state of an order, from its three: ours, Salesforce's and the attempt's (decisions.md 13)."""

from enum import StrEnum

from integrations.salesforce import fields as f
from orders.models import Order


class Status(StrEnum):
    """The eight states of the order page and its JSON."""

    SUBMITTED = "Submitted"
    PENDING_REVIEW = "Pending Review"
    APPROVED = "Approved"
    ACTIVATING = "Activating"
    CHECKING = "Checking"
    PROVISIONED = "Provisioned"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


FINAL = frozenset({Status.PROVISIONED, Status.FAILED, Status.CANCELLED})


def status_of(order: Order) -> Status:
    """The one status of an order. A live local attempt wins over what Salesforce last said."""
    if order.local_state == Order.Local.REFUSED:
        return Status.CANCELLED
    if order.local_state == Order.Local.SUBMITTED:
        return Status.SUBMITTED
    if order.progress == Order.Progress.PROVISIONED:
        return Status.PROVISIONED
    if order.sf_status == "Cancelled":
        return Status.CANCELLED
    if order.sf_activation_status == "Provisioned" or _activated_by_hand(order):
        return Status.PROVISIONED
    return _under_way(order)


def _activated_by_hand(order: Order) -> bool:
    """In Salesforce alone, as before there was a portal: nobody ever asked for provisioning."""
    return (order.sf_status, order.sf_activation_status, order.progress) == ("Activated", "", "")


def can_be_cancelled(order: Order) -> bool:
    """Whether its customer may still cancel it: one of the portal's that nobody has approved yet."""
    in_review = order.local_state == Order.Local.PLACED and order.sf_status in f.IN_REVIEW
    untouched = order.sf_activation_status in {"", Status.PENDING_REVIEW} and order.progress == Order.Progress.NONE
    return in_review and untouched and not order.made_in_salesforce


def can_be_withdrawn(order: Order) -> bool:
    """Whether its customer may take it back: nobody lets it go to Salesforce, now or before it passes the gate."""
    return order.local_state == Order.Local.SUBMITTED and order.cleared_at is None


def _under_way(order: Order) -> Status:
    if order.progress == Order.Progress.CHECKING:
        return Status.CHECKING
    if order.progress == Order.Progress.ACTIVATING:
        return Status.ACTIVATING
    if Order.Progress.FAILED in (order.progress, order.sf_activation_status):
        return Status.FAILED
    if order.sf_activation_status == "Activating":
        return Status.ACTIVATING
    return Status.APPROVED if order.sf_status in {"Approved", "Activated"} else Status.PENDING_REVIEW
