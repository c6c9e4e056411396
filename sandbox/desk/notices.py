"""What came of the last button, shown once on the page that follows."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass

_KEPT = 50


@dataclass(frozen=True)
class Notice:
    """A sentence, and how it looks: ok or bad."""

    tone: str
    text: str


class Notices:
    """Notices by a key that goes through the browser, so that an address alone can put no words on a page."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Notice] = OrderedDict()

    def keep(self, notice: Notice) -> str:
        """Keep it for the page that shows it; its key."""
        key = secrets.token_urlsafe(8)
        self._kept[key] = notice
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return key

    def take(self, key: str) -> Notice | None:
        """The notice of a key, the first time it is asked for."""
        return self._kept.pop(key, None)
