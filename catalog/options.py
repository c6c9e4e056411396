"""Configuration options of a product: the JSON they are kept as, what may be chosen, and what a choice costs.

The JSON is `Product2.Portal_ConfigOptions_JSON__c`; its prices are yen, tax included, in the product's own cycle.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import SchemaError, SchemaValidator, core_schema

TEXT_LENGTH = 100
MOST_OPTIONS = 30
MOST_CHOICES = 100
REGION = "region"  # the country of a VPN: an attribute of the plan, or the key of an option
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
RemoteId = Annotated[int, Field(gt=0, lt=2**31)]
Yen = Annotated[int, Field(ge=0, le=10_000_000)]


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
    price: Yen


class When(Record):
    """The option exists only while another one, listed before it, has one of these values (`yes` for a yes_no)."""

    option: Key
    values: Annotated[tuple[Key, ...], Field(min_length=1, max_length=MOST_CHOICES)]


class Option(Record):
    """One option: a choice of several, yes or no, a number of units, or a text (which WHMCS never gets)."""

    key: Key
    whmcs_option_id: RemoteId | None = None
    type: Literal["choice", "yes_no", "quantity", "text"]
    label: Label
    hint: Label | None = None
    required: bool = False
    when: When | None = None
    minimum: Annotated[int, Field(ge=0, le=99)] = 0
    maximum: Annotated[int, Field(ge=0, le=99)] = 0
    pattern: Annotated[str, Field(max_length=200)] = ""
    price: Yen = 0
    choices: Annotated[tuple[Choice, ...], Field(max_length=MOST_CHOICES)] = ()

    @model_validator(mode="after")
    def has_a_sound_text(self) -> "Option":
        if self.type != "text" and (self.pattern or self.price):
            raise ValueError("pattern and price belong to the type text; other prices stand in choices")
        if self.pattern and self.hint is None:
            raise ValueError("a pattern needs a hint that says in words what to type")
        if self.pattern:
            _pattern(self.pattern)
        return self

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
        """Yen for yes, for one unit, or for a text."""
        return self.choices[0].price if self.choices else self.price


CHOICES_FIT = {
    "choice": lambda count: count > 0,
    "yes_no": lambda count: count == 1,
    "quantity": lambda count: count == 1,
    "text": lambda count: count == 0,
}
SEPARATOR = " · "  # between the words of several choices
_OPTIONS = TypeAdapter(Annotated[tuple[Option, ...], Field(max_length=MOST_OPTIONS)])


@lru_cache(maxsize=200)
def _pattern(pattern: str) -> SchemaValidator:
    """Matches whole texts in time linear to their length, whatever the pattern. Raises ValueError for a wrong one."""
    try:
        SchemaValidator(
            core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")
        )  # a bracket must not end ours
        return SchemaValidator(core_schema.str_schema(pattern=f"^(?:{pattern})$", regex_engine="rust-regex"))
    except SchemaError as error:
        raise ValueError("pattern is not a regular expression") from error


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `Portal_ConfigOptions_JSON__c`, as docs/catalogue-options.schema.json has it."""
    return _OPTIONS.json_schema()


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
    for place, option in enumerate(options):
        _check_when(option, options[:place])
    return options


def _check_when(option: Option, before: Sequence[Option]) -> None:
    if option.when is None:
        return
    other = next((each for each in before if each.key == option.when.option), None)
    if other is None:
        raise BrokenOptions(f"{option.key}.when: no option {option.when.option} is listed before it")
    if other.type not in {"choice", "yes_no"}:
        raise BrokenOptions(f"{option.key}.when: {other.key} is neither a choice nor a yes_no")
    known = {"yes"} if other.type == "yes_no" else {choice.value for choice in other.choices}
    if unknown := sorted(set(option.when.values) - known):
        raise BrokenOptions(f"{option.key}.when: {other.key} never has the value {unknown[0]}")


def applies(option: Option, values: Mapping[str, Any]) -> bool:
    """Whether the option exists beside these values of the options before it (key -> value as chosen)."""
    return option.when is None or str(values.get(option.when.option, "")) in option.when.values


def choose(options: Sequence[Option], wanted: Mapping[str, Any]) -> tuple[Chosen, ...]:
    """Checks `wanted` (option key -> value as posted or stored) against what is offered and prices it.

    An empty value means "not chosen". What is given for an option that depends on another choice than was made counts
    as not given, since a page without script sends it all the same. Raises OptionRefused for an unknown key, an unknown
    value, a number out of range, a text that does not fit, or a required option left out. Never trusts a price: it is
    always the option's own.
    """
    if unknown := sorted(set(wanted) - {option.key for option in options}):
        raise OptionRefused(unknown[0], _("This plan has no such option. Choose from the options shown."))
    found: dict[str, Chosen] = {}
    for option in options:
        if not applies(option, {key: each.value for key, each in found.items()}):
            continue
        if chosen := _choose_one(option, wanted.get(option.key, "")):
            found[option.key] = chosen
    return tuple(found.values())


def applying(options: Sequence[Option], wanted: Mapping[str, Any]) -> frozenset[str]:
    """Keys of the options that exist beside what is wanted, sound or not; for a page that shows those alone."""
    values: dict[str, Any] = {}
    for option in options:
        if applies(option, values):
            values[option.key] = wanted.get(option.key, "")
    return frozenset(values)


def defaults(options: Sequence[Option]) -> dict[str, Any]:
    """What a product page shows chosen at first: of what is required the first choice or the least number.

    A required text has none, so what depends on it cannot be priced yet.
    """
    first = {option.key: _first(option) for option in options if option.required}
    return {key: value for key, value in first.items() if value is not None}


def _first(option: Option) -> str | int | None:
    if option.type == "choice":
        return option.choices[0].value
    return option.minimum if option.type == "quantity" else None


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
    if option.pattern and not _matches(option.pattern, text):
        raise OptionRefused(option.key, _("Type it like this: %(hint)s") % {"hint": str(option.hint)})
    return Chosen(option, text, None, option.price)


def _matches(pattern: str, text: str) -> bool:
    try:
        _pattern(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


_READERS = {"choice": _choice, "yes_no": _yes_no, "quantity": _quantity, "text": _text}
