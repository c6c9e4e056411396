"""The form for a rule: its inputs, made from what a kind and a rule can say, and what comes back from them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.faults.book import RuleRefused
from sandbox.faults.kinds import KINDS
from sandbox.faults.kinds.base import Fault
from sandbox.faults.rules import Match

_PARAMETER, _MATCH = "parameter-", "match-"
_WHEN = {
    "call": (
        ("once", "once"),
        ("times", "a number of times"),
        ("always", "always"),
        ("probability", "with a probability"),
    ),
    "standing": (("always", "as long as the rule is there"),),
    "now": (("now", "now"),),
}


_SAID = {
    "before": "before: nothing is done",
    "after": "after: it was carried out",
    "close": "politely",
    "reset": "by TCP reset",
}


@dataclass(frozen=True)
class Input:
    """One field of the form; with `options` (value and name) it is a choice."""

    name: str
    label: str
    value: str = ""
    type: str = "text"
    options: tuple[tuple[str, str], ...] = ()
    least: str = ""
    most: str = ""
    list_id: str = ""


def choices(system: str) -> list[type[Fault]]:
    """The kinds that exist in a system."""
    return [kind for kind in KINDS.values() if system in kind.systems]


def about(kind: type[Fault], sent: Mapping[str, str]) -> list[Input]:
    """The inputs for a kind's own parameters, filled with what was sent or else with the defaults."""
    properties: dict[str, dict[str, Any]] = kind.model_json_schema().get("properties", {})
    return [_parameter(name, schema, sent) for name, schema in properties.items()]


def calls(kind: type[Fault], sent: Mapping[str, str]) -> list[Input]:
    """The inputs for which calls it is; none for a kind that waits for no call."""
    if "call" not in kind.strikes:
        return []
    operation = Input("operation", "Operation (* stands for anything)", _filled(sent, "operation", kind.operations[0]))
    more = [(name, field.description or name) for name, field in Match.model_fields.items()]
    listed = Input(operation.name, operation.label, operation.value, list_id="operations")
    return [listed, *(Input(_MATCH + name, label, sent.get(_MATCH + name, "")) for name, label in more)]


def times(kind: type[Fault], sent: Mapping[str, str]) -> list[Input]:
    """The inputs for how often it strikes."""
    options = tuple(option for each in kind.strikes for option in _WHEN[each])
    when = Input("when", "When it strikes", sent.get("when", options[0][0]), options=options)
    if "call" not in kind.strikes:
        return [when]
    return [
        when,
        Input("times", "How many times", sent.get("times", ""), "number", least="1"),
        Input("probability", "Probability, above 0 and up to 1", sent.get("probability", ""), "number", (), "0", "1"),
        Input("seed", "Seed of the probability", sent.get("seed", ""), "number", least="0"),
        Input("skip", "Calls to let pass first", sent.get("skip", ""), "number", least="0"),
        Input("expires_s", "Gone after so many seconds", sent.get("expires_s", ""), "number", least="0"),
    ]


def read(kind: type[Fault], system: str, sent: Mapping[str, str]) -> dict[str, Any]:
    """A rule from the form's fields, of which empty ones say nothing. Raises RuleRefused."""
    filled = {name: text for name, text in sent.items() if text}
    rest = ("operation", "when", "times", "probability", "seed", "skip", "expires_s")
    return {
        "system": system,
        "kind": kind.kind,
        "parameters": dict(_parameters(kind, filled)),
        "match": {name.removeprefix(_MATCH): text for name, text in filled.items() if name.startswith(_MATCH)},
        **{name: filled[name] for name in rest if name in filled},
    }


def _parameters(kind: type[Fault], filled: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name, schema in kind.model_json_schema().get("properties", {}).items():
        if _PARAMETER + name in filled:
            yield name, _value(name, schema, filled[_PARAMETER + name])


def _value(name: str, schema: Mapping[str, Any], text: str) -> Any:
    if schema.get("type") != "object":
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise RuleRefused(f"{name} is not JSON: {error}") from error


def _parameter(name: str, schema: Mapping[str, Any], sent: Mapping[str, str]) -> Input:
    kinds: list[dict[str, Any]] = schema.get("anyOf", [])
    schema = {**schema, **kinds[0]} if kinds else schema  # an optional value: itself, or else null
    default = schema.get("default")
    text = default if isinstance(default, str) else "" if default is None else json.dumps(default)
    label, options = (
        str(schema.get("description") or name),
        tuple((each, _SAID.get(each, each)) for each in schema.get("enum", ())),
    )
    if schema.get("type") == "boolean":
        options = (("true", "yes"), ("false", "no"))
    number = schema.get("type") in ("integer", "number")
    least, most = str(schema.get("minimum", "")), str(schema.get("maximum", ""))
    value = _filled(sent, _PARAMETER + name, text)
    return Input(_PARAMETER + name, label, value, "number" if number else "text", options, least, most)


def _filled(sent: Mapping[str, str], name: str, otherwise: str) -> str:
    return sent.get(name, otherwise)
