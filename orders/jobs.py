"""What the housekeeping queue runs for orders."""

from django.conf import settings

from journal import rounds
from orders import cancelling, carts_left, placing, watched
from orders import refresh as refreshing

CARTS_S = 24 * 3600


def refresh() -> None:
    """Mirrors Salesforce's changes: at each call while somebody watches an order, else every few minutes."""
    often = settings.WATCHED_REFRESH_S
    interval = often if watched.anybody() else settings.REFRESH_S
    rounds.run("orders.refresh", interval, refreshing.refresh, called_every_s=often)


def place_submitted() -> None:
    """Places what was submitted and did not reach Salesforce yet."""
    rounds.run("orders.place_submitted", settings.SWEEP_S, placing.place_due)


def cancel(wish_id: int) -> None:
    """Queue `cases`: a customer's wish to cancel an order in review."""
    cancelling.carry_out(wish_id)


def cancel_asked() -> None:
    """Carries out the wishes to cancel whose job got lost, and those to be tried again."""
    rounds.run("orders.cancel_asked", settings.SWEEP_S, cancelling.carry_out_due)


def delete_left_carts() -> None:
    """Daily: carts whose visitor's session is over."""
    rounds.run("orders.delete_left_carts", CARTS_S, carts_left.delete_left)
