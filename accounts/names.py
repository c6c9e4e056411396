"""A person's two names on forms, pages and in e-mails: Japanese has the family name first and greets by it.

What support and other systems read has the family name first too (`User.get_full_name`).
"""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import get_language

from accounts.models import User

NAMES = ("family_name", "given_name")


def in_order() -> Sequence[str]:
    """The fields of both names in the order of the page's language."""
    return _in_order_of(get_language())


def full_name(user: User) -> str:
    """Both names as the page's language orders them; "" for who has told none."""
    return " ".join(filter(None, (getattr(user, name) for name in in_order())))


def addressee(user: User, language: str | None = None) -> str:
    """How the user is greeted in `language`, or in the page's: by family name in Japanese, where the text adds 様, by
    given names in English; by the other name for who has told only that; "" for who has told none."""
    first, second = _in_order_of(language or get_language())
    return str(getattr(user, first) or getattr(user, second))


def _in_order_of(language: str | None) -> Sequence[str]:
    return NAMES if (language or "").startswith("ja") else NAMES[::-1]


class NameOrder(forms.Form):
    """A form with both names, which stand together and in the order of the language, in the error summary too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        order = list(self.fields)
        first = min(order.index(name) for name in NAMES)
        order = [name for name in order if name not in NAMES]
        order[first:first] = in_order()
        self.order_fields(order)

    @property
    def names(self) -> list[forms.BoundField]:
        """The two, in their order, for the template."""
        return [self[name] for name in self.fields if name in NAMES]
