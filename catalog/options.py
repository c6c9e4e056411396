"""Configuration options of a product: the JSON they are kept as, what may be chosen, and what a choice costs.

The JSON is `Product2.Portal_ConfigOptions_JSON__c`; its prices are yen, tax included, in the product's own cycle.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

TEXT_LENGTH = 100
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
RemoteId = Annotated[int, Field(gt=0, lt=2**31)]


class BrokenOptions(ValueError):
    """The JSON is not ours to sell by; the message says where and why, for staff."""


class OptionRefused(Exception):
    """What was chosen is not offered. `key` names the option (may be one we do not know), `sentence` tells why."""

    def __init__(self, key: str, sentence: "str | Promise") -> None:
        super().__init__(f"{key}: refused")
        self.key, self.sentence = key, sentence


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Label(Record):
    en: Annotated[str, Field(min_length=1, max_length=120)]
    ja: Annotated[str, Field(min_length=1, max_length=120)]

    def __str__(self) -> str:
        return self.ja if get_language() == "ja" else self.en


class Choice(Record):
    value: Key
    whmcs_choice_id: RemoteId
    label: Label
    price: Annotated[int, Field(ge=0, le=10_000_000)]


class Option(Record):
    """One option: a choice of several, yes or no, a number of units, or a text (which WHMCS never gets)."""

    key: Key
    whmcs_option_id: RemoteId | None = None
    type: Literal["choice", "yes_no", "quantity", "text"]
    label: Label
    required: bool = False
    minimum: Annotated[int, Field(ge=0, le=99)] = 0
    maximum: Annotated[int, Field(ge=0, le=99)] = 0
    choices: tuple[Choice, ...] = ()

    @model_validator(mode="after")
    def fits_its_type(self) -> "Option":
        values = [choice.value for choice in self.choices]
        if len(set(values)) != len(values):
            raise ValueError("two choices have the same value")
        if self.type != "text" and self.whmcs_option_id is None:
            raise ValueError("whmcs_option_id is missing")
        if not CHOICES_FIT[self.type](len(values)):
            raise ValueError(f"{len(values)} choices do not fit the type {self.type}")
        if self.type == "quantity" and not self.minimum <= self.maximum:
            raise ValueError("minimum is above maximum")
        return self

    @property
    def unit_price(self) -> int:
        """Yen for yes, or for one unit."""
        return self.choices[0].price


CHOICES_FIT = {
    "choice": lambda count: count > 0,
    "yes_no": lambda count: count == 1,
    "quantity": lambda count: count == 1,
    "text": lambda count: count == 0,
}
_OPTIONS = TypeAdapter(tuple[Option, ...])


@dataclass(frozen=True)
class Chosen:
    """One chosen option, checked: what was chosen, what WHMCS calls it, what it adds to the unit price in yen."""

    option: Option
    value: str | int
    whmcs_value: int | None
    price: int

    @property
    def words(self) -> str:
        """What the customer chose, in the active language; empty for a no and for none."""
        if self.option.type == "choice":
            return str(next(choice.label for choice in self.option.choices if choice.value == self.value))
        if self.option.type == "yes_no":
            return str(self.option.label)
        return f"{self.option.label}: {self.value}"


def parse(raw: Any) -> tuple[Option, ...]:
    """The options of a product from their JSON value (a list, already decoded). Raises BrokenOptions."""
    try:
        options = _OPTIONS.validate_json(json.dumps(raw), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BrokenOptions(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    keys = [option.key for option in options]
    if len(set(keys)) != len(keys):
        raise BrokenOptions("two options have the same key")
    return options


def choose(options: Sequence[Option], wanted: Mapping[str, Any]) -> tuple[Chosen, ...]:
    """Checks `wanted` (option key -> value as posted or stored) against what is offered and prices it.

    An empty value means "not chosen". Raises OptionRefused for an unknown key, an unknown value, a number out of
    range, a text too long, or a required option left out. Never trusts a price: it is always the option's own.
    """
    if unknown := sorted(set(wanted) - {option.key for option in options}):
        raise OptionRefused(unknown[0], _("This plan has no such option. Choose from the options shown."))
    chosen = (_choose_one(option, wanted.get(option.key, "")) for option in options)
    return tuple(each for each in chosen if each is not None)


def defaults(options: Sequence[Option]) -> dict[str, Any]:
    """What a product page shows chosen at first: the first choice of what is required."""
    return {option.key: option.choices[0].value for option in options if option.type == "choice" and option.required}


def price_of(chosen: Sequence[Chosen]) -> int:
    """Yen that the chosen options add to the unit price."""
    return sum(each.price for each in chosen)


def snapshot(chosen: Sequence[Chosen]) -> dict[str, Any]:
    """What is stored with the order and sent as OrderItem.ConfigOptions_JSON__c (read back by `whmcs_options`)."""
    return {
        each.option.key: {
            "value": each.value,
            "whmcs_option_id": each.option.whmcs_option_id,
            "whmcs_value": each.whmcs_value,
        }
        for each in chosen
    }


def words_of(options: Sequence[Option], stored: Mapping[str, Any]) -> list[str]:
    """What a `snapshot` chose, in the active language; what the plan no longer offers is left out."""
    words = []
    for option in options:
        entry = stored.get(option.key)
        try:
            chosen = _choose_one(option, entry.get("value", "") if isinstance(entry, Mapping) else "")
        except OptionRefused:
            continue
        if chosen:
            words.append(chosen.words)
    return words


def whmcs_options(stored: Mapping[str, Any]) -> dict[int, int]:
    """WHMCS option id -> value for AddOrder, from a `snapshot`. Raises ValueError where it is not one."""
    found: dict[int, int] = {}
    for key, entry in stored.items():
        if not isinstance(entry, Mapping) or not {"whmcs_option_id", "whmcs_value"} <= entry.keys():
            raise ValueError(f"option {key} has no WHMCS ids")
        if entry["whmcs_value"] is None:
            continue
        found[int(entry["whmcs_option_id"])] = int(entry["whmcs_value"])
    return found


def _choose_one(option: Option, value: Any) -> Chosen | None:
    text = str(value).strip()
    if text in {"", "no", "0"} and option.type in {"yes_no", "quantity"} and not option.required:
        return None
    if not text:
        if option.required:
            raise OptionRefused(option.key, _("Choose one of the options."))
        return None
    return _READERS[option.type](option, text)


def _choice(option: Option, text: str) -> Chosen:
    for choice in option.choices:
        if choice.value == text:
            return Chosen(option, choice.value, choice.whmcs_choice_id, choice.price)
    raise OptionRefused(option.key, _("This choice is not offered. Choose one of the options shown."))


def _yes_no(option: Option, text: str) -> Chosen:
    if text != "yes":
        raise OptionRefused(option.key, _("This choice is not offered. Choose one of the options shown."))
    return Chosen(option, "yes", 1, option.unit_price)


def _quantity(option: Option, text: str) -> Chosen:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and option.minimum <= int(text) <= option.maximum):
        raise OptionRefused(
            option.key,
            _("Enter a number from %(minimum)s to %(maximum)s.")
            % {"minimum": option.minimum, "maximum": option.maximum},
        )
    return Chosen(option, int(text), int(text), option.unit_price * int(text))


def _text(option: Option, text: str) -> Chosen:
    if len(text) > TEXT_LENGTH or not text.isprintable():
        raise OptionRefused(option.key, _("Enter at most %(length)s characters on one line.") % {"length": TEXT_LENGTH})
    return Chosen(option, text, None, 0)


_READERS = {"choice": _choice, "yes_no": _yes_no, "quantity": _quantity, "text": _text}
