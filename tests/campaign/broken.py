"""What the mutation proof takes away, one at a time: the campaign must then go red. Nothing else uses this."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

SINGLE_FLIGHT = "DROP INDEX attempt_single_flight"


def _nothing() -> None:
    """All is as delivered."""


def _single_flight() -> None:
    """Intake no longer looks for a live attempt; the database's index is dropped beside it (SINGLE_FLIGHT)."""
    from provisioning import verdicts

    real = verdicts.Known.__init__

    def nothing_lives(self: verdicts.Known, *, live: Mapping[str, str], seen: Iterable[Any]) -> None:
        real(self, live={}, seen=seen)

    verdicts.Known.__init__ = nothing_lives  # type: ignore[method-assign]


def _look_up() -> None:
    """AddOrder is sent without looking at what WHMCS holds already."""
    from provisioning import ordering

    ordering._Looking.__call__ = lambda self: None  # type: ignore[method-assign]


def _fence() -> None:
    """A worker that lost its attempt goes on as if nothing had happened."""
    from provisioning import claims

    claims.Claim.write = lambda self, **values: None  # type: ignore[method-assign]


def _cursor() -> None:
    """The position is committed before the events it stands for."""
    from django.db import transaction

    from provisioning import intake, subscriber

    def store(*, topic: str, leader_epoch: int, response: Any) -> int:
        with transaction.atomic():
            intake._move_cursor(topic, leader_epoch, response)
        return intake.store(topic=topic, leader_epoch=leader_epoch, response=response)

    subscriber.store = store  # type: ignore[attr-defined]


SWITCHES: Mapping[str, Callable[[], None]] = {
    "": _nothing,
    "single flight": _single_flight,
    "look-up": _look_up,
    "fence": _fence,
    "cursor": _cursor,
}


def become(switch: str) -> None:
    """Takes away what `switch` names, in this process and those it forks."""
    SWITCHES[switch]()
