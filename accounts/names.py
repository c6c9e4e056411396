"""A person's two names on forms and pages: the family name stands first in Japanese, the given names in English."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import get_language

from accounts.models import User

NAMES = ("family_name", "given_name")


def in_order() -> Sequence[str]:
    """The fields of both names in the order of the page's language."""
    return NAMES if (get_language() or "").startswith("ja") else NAMES[::-1]


def full_name(user: User) -> str:
    """Both names as the page's language orders them; "" for who has told none."""
    return " ".join(filter(None, (getattr(user, name) for name in in_order())))


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
