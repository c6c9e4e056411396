"""What the mutation proof takes away, one at a time: the campaign must then go red. Nothing else uses this."""

from collections.abc import Callable, Mapping


def _nothing() -> None:
    """All is as delivered."""


def _no_look_up() -> None:
    """AddOrder is sent without looking first, and without looking after a lost answer."""
    from provisioning import ordering

    ordering._Looking.__call__ = lambda self: None  # type: ignore[method-assign]


def _no_fence() -> None:
    """A worker that lost its attempt goes on as if nothing had happened."""
    from provisioning import claims

    claims.Claim.write = lambda self, **values: None  # type: ignore[method-assign]


SWITCHES: Mapping[str, Callable[[], None]] = {"": _nothing, "look-up": _no_look_up, "fence": _no_fence}


def become(switch: str) -> None:
    """Takes away what `switch` names, in this process and those it forks."""
    SWITCHES[switch]()
