"""Name, address and phone as the customer types them, and which mails they want."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import jaconv
import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.forms import NO_CONTROL_CHARACTERS
from accounts.links import linked
from accounts.models import Address, User
from accounts.names import NAMES, NameOrder
from accounts.profile import postal_codes
from accounts.profile.prefectures import PREFECTURES

WRONG_POSTAL_CODE = _("Enter seven digits, for example 108-0023")
NO_SUCH_CODE = _(
    "Our copy of Japan Post's table has no such postal code. Compare it with a letter you got; if it is right, send "
    "the form again"
)
WRONG_PHONE = _("Enter a phone number in Japan, for example 080-1234-5678")

F = TypeVar("F", bound=forms.Form)


class PostalCodeField(forms.CharField):
    """Seven digits; 〒, hyphens, blanks and full width are tolerated."""

    def clean(self, value: Any) -> str:
        digits = postal_codes.digits(str(super().clean(value)))
        if not (len(digits) == 7 and digits.isascii() and digits.isdecimal()):
            raise ValidationError(WRONG_POSTAL_CODE, code="shape")
        return digits


class PhoneField(forms.CharField):
    """A Japanese number in any usual way of writing it, kept as E.164."""

    def clean(self, value: Any) -> str:
        typed = jaconv.z2h(str(super().clean(value)), kana=False, ascii=True, digit=True)
        try:
            number = phonenumbers.parse(typed, "JP")
        except phonenumbers.NumberParseException as error:
            raise ValidationError(WRONG_PHONE, code="shape") from error
        if number.country_code != 81 or not phonenumbers.is_valid_number(number):
            raise ValidationError(WRONG_PHONE, code="shape")
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def national(phone: str) -> str:
    """An E.164 number as people in Japan write it: 080-1234-5678."""
    if not phone:
        return ""
    return str(phonenumbers.format_number(phonenumbers.parse(phone), phonenumbers.PhoneNumberFormat.NATIONAL))


def _text(label: Any, autocomplete: str, missing: Any, *, longest: int, hint: Any = "", css: str = "") -> Any:
    return forms.CharField(
        label=label,
        help_text=hint,
        max_length=longest,
        required=bool(missing),
        validators=[NO_CONTROL_CHARACTERS],
        error_messages={"required": missing},
        widget=forms.TextInput(attrs={"autocomplete": autocomplete} | ({"class": css} if css else {})),
    )


class PlaceForm(forms.Form):
    """A Japanese address; `initial` and what was typed may be in kanji or in romaji."""

    postal_code = PostalCodeField(
        label=_("Postal code"),
        help_text=_("Seven digits, for example 108-0023"),
        max_length=20,
        error_messages={"required": WRONG_POSTAL_CODE},
        widget=forms.TextInput(attrs={"class": "w-s", "inputmode": "numeric", "autocomplete": "postal-code"}),
    )
    prefecture = forms.TypedChoiceField(
        label=_("Prefecture"),
        choices=lambda: [("", _("Choose a prefecture")), *((p.number, p.words) for p in PREFECTURES.values())],
        coerce=int,
        error_messages={"required": _("Choose a prefecture")},
        widget=forms.Select(attrs={"class": "w-m", "autocomplete": "address-level1"}),
    )
    city = _text(
        _("City or ward"),
        "address-level2",
        _("Enter the city or ward"),
        longest=40,
        hint=_("For example Minato-ku or 港区"),
    )
    street = _text(
        _("Town and number"),
        "address-line1",
        _("Enter the town, block and house number"),
        longest=120,
        hint=_("Chome, block and house number, for example 芝浦3-12-8"),
    )
    building = _text(_("Building"), "address-line2", "", longest=80)
    room = _text(_("Room"), "address-line3", "", longest=20, css="w-s")
    unknown_code = forms.CharField(required=False, widget=forms.HiddenInput)  # of which the customer has been told

    def clean(self) -> dict[str, Any]:
        """The prefecture must be one of the postal code; everything else the customer knows better than any table.

        A code that the table does not have is taken when it is sent again: new houses get new codes.
        """
        cleaned = super().clean() or {}
        told, code = cleaned.pop("unknown_code", ""), cleaned.get("postal_code")
        places = postal_codes.prefectures_of(code) if code else []
        if code and not places and told != code:
            self.add_error("postal_code", NO_SUCH_CODE)
            self.data = dict(self.data.items()) | {"unknown_code": code}
        elif places and cleaned.get("prefecture") not in (None, "", *places):
            self.add_error("prefecture", _is_in(places))
        return cleaned


class AddressForm(PlaceForm, NameOrder):
    """The page "Name and address". `names_locked`: the name stands on papers that were checked, it is only shown."""

    field_order = ("given_name", "family_name")
    given_name = _text(_("Given names"), "given-name", _("Enter your given names"), longest=60)
    family_name = _text(_("Family name"), "family-name", _("Enter your family name"), longest=60)
    phone = PhoneField(
        label=_("Phone"),
        help_text=_("A number in Japan on which we can reach you"),
        max_length=30,
        error_messages={"required": WRONG_PHONE},
        widget=forms.TextInput(attrs={"class": "w-m", "type": "tel", "autocomplete": "tel-national"}),
    )

    def __init__(self, *args: Any, names_locked: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in NAMES if names_locked else ():
            self.fields[name].disabled = True
            self.fields[name].help_text = _("As on the papers we checked; to change it, contact us")


def with_place(build: Callable[..., F], typed: Mapping[str, Any], initial: Mapping[str, Any]) -> F:
    """The form that `build` makes of `typed`, with prefecture, city and town of the postal code filled in.

    Complains about nothing but a postal code of which no place is known, or which lies in two prefectures of which none
    is chosen. `initial` is what the form showed first.
    """
    shown = {**initial, **typed}
    code, chosen = postal_codes.digits(str(shown.get("postal_code", "")))[:7], _number(shown.get("prefecture"))
    found, prefectures = postal_codes.place_of(code, chosen), postal_codes.prefectures_of(code)
    if found is not None and (len(prefectures) == 1 or chosen in prefectures):
        town = shown.get("street") or found.town
        return build(initial=shown | {"prefecture": found.prefecture, "city": found.city, "street": town})
    form = build(shown, initial=initial)
    for name in form.fields:
        if name != "postal_code":
            form.errors.pop(name, None)
    if not form.errors:
        form.add_error(*("prefecture", _is_in(prefectures)) if prefectures else ("postal_code", NO_SUCH_CODE))
    return form


def _is_in(prefectures: list[int]) -> str:
    """Where a postal code lies; whoever lives at a border of prefectures chooses."""
    names = [str(PREFECTURES[each].words) for each in prefectures]
    if len(names) == 1:
        return str(_("This postal code is in %(prefecture)s")) % {"prefecture": names[0]}
    return str(_("This postal code is in %(prefectures)s: choose yours")) % {"prefectures": " / ".join(names)}


def _number(typed: Any) -> int | None:
    """The number of a prefecture; Python refuses to read one of more than 4,300 digits."""
    text = str(typed)
    return int(text) if len(text) <= 2 and text.isdecimal() else None


def initial_of(user: User) -> dict[str, Any]:
    """What the form shows first: what the customer last said."""
    names = {"given_name": user.given_name, "family_name": user.family_name}
    phone = national(user.phone) or on_file(user).get("phone", "")
    return names | {"phone": phone} | place_of_user(user)


def place_of_user(user: User) -> dict[str, Any]:
    """Where the customer lives, as PlaceForm shows it; else what is on file, if anything."""
    address = Address.objects.filter(user=user).first()
    if address is None:
        return {name: value for name, value in on_file(user).items() if name != "phone"}
    known = {name: getattr(address, name) for name in ("prefecture", "city", "street", "building", "room")}
    return known | {"postal_code": f"{address.postal_code[:3]}-{address.postal_code[3:]}"}


def on_file(user: User) -> dict[str, Any]:
    """What we know of the address of a customer from before the portal, who has not said it here yet."""
    link = linked(user)
    return dict(link.address_on_file) if link is not None else {}


class MailForm(forms.Form):
    """Language of pages and mails, and whether there is news besides what an order needs."""

    language = forms.ChoiceField(label=_("Language"), choices=[("en", "English"), ("ja", "日本語")])
    news_mails = forms.BooleanField(
        label=_("Send me news about plans and offers, at most once a month"), required=False
    )
