"""The address to check."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.forms import Choice
from accounts.profile.forms import PlaceForm
from catalog.eligibility.models import EligibilityRequest

Home = EligibilityRequest.Home
# 番外地 and 無番地 are addresses without a number.
WITH_NUMBER = re.compile(r"[0-9０-９一二三四五六七八九十]|番外?地")


class CheckForm(PlaceForm):
    """The page "Check your address"."""

    home = forms.ChoiceField(
        label=_("Kind of home"),
        choices=[
            (Home.FLAT.value, Choice(Home.FLAT.label, _("Mansion, apāto, share house"))),
            (Home.HOUSE.value, Choice(Home.HOUSE.label, _("Ikkodate"))),
        ],
        error_messages={"required": _("Choose the kind of home")},
        widget=forms.RadioSelect(attrs={"across": True}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["building"].help_text = _("Its name decides which fibre is there. Leave empty for a house.")

    def clean_street(self) -> str:
        """A building is found by its number."""
        street: str = self.cleaned_data["street"]
        if not WITH_NUMBER.search(street):
            raise ValidationError(_("Add the block and house number, for example 芝浦3-12-8"), code="no_number")
        return street
