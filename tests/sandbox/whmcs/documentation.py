"""What actions ask for and answer, to be held against the official reference."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.whmcs.actions.documented import documented
from sandbox.whmcs.php import PhpArray, PhpValue
from tests.sandbox.whmcs.conftest import CREDENTIALS

ACCESS = {*CREDENTIALS, "action", "username", "password", "accesskey"}


class Watched(dict[int | str, PhpValue]):
    """A form that remembers which of its fields were asked for."""

    def __init__(self, form: PhpArray) -> None:
        super().__init__(form)
        self.asked: set[str] = set()

    def get(self, key: Any, default: Any = None) -> Any:
        self.asked.add(str(key))
        return super().get(key, default)

    def __getitem__(self, key: int | str) -> PhpValue:
        self.asked.add(str(key))
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[int | str]:
        self.asked |= {str(key) for key in super().__iter__()}
        return super().__iter__()


@dataclass
class Seen:
    """What one action asked for and answered, in all its calls."""

    asked: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    def take(self, form: Watched, payload: Mapping[str, Any]) -> None:
        """One more call and its answer."""
        self.asked |= form.asked
        self.answered |= set(payload)
        if payload.get("result", payload.get("status")) == "error":
            self.failures.append(str(payload["message"]))

    def parameters(self) -> set[str]:
        """The names asked for, without those that open the door."""
        return {plain(name) for name in self.asked} - ACCESS


def parameters_of(action: str) -> set[str]:
    """Every parameter that the reference names for an action."""
    reference = documented()[action.lower()]
    return {plain(name) for name in (*reference.required, *reference.optional, *reference.deprecated)}


def plain(name: str) -> str:
    """`itemamount12` and `itemamountx` are one parameter of the reference, and so is all of `email_preferences`."""
    return re.sub(r"(item(?:description|amount|taxed))(?:[0-9]+|x)\Z", r"\1x", name.partition("[")[0])
