"""A person's two names on a form: the family name stands first in Japanese, the given names in English."""

from typing import Any

from django import forms
from django.utils.translation import get_language

NAMES = ("family_name", "given_name")


class NameOrder(forms.Form):
    """A form with both names, which stand together and in the order of the language, in the error summary too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        order = list(self.fields)
        first = min(order.index(name) for name in NAMES)
        order = [name for name in order if name not in NAMES]
        is_japanese = (get_language() or "").startswith("ja")
        order[first:first] = NAMES if is_japanese else reversed(NAMES)
        self.order_fields(order)

    @property
    def names(self) -> list[forms.BoundField]:
        """The two, in their order, for the template."""
        return [self[name] for name in self.fields if name in NAMES]
