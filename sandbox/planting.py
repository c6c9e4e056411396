"""Carrying out seed files: every record and call by the rules it would meet over the API."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox import catalogue, seed_file
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.seed import INTEGRATION_USERNAME
from sandbox.seed_file import SeedError
from sandbox.store import fold
from sandbox.whmcs import actions, serialized
from sandbox.whmcs.answers import Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpValue, array_key
from sandbox.whmcs.products import MODULE, OPTION_TYPES, OptionChoice, Product, ProductOption, mark_field_id


def plant(org: Org, whmcs: Whmcs, paths: tuple[Path, ...]) -> None:
    """Carry out the files; names that one gives are known in those after it.

    Raises SeedError with the place in the file; the caller's transactions undo what was done before it.
    """
    records, calls = _Records(org), _Calls(whmcs)
    for path in paths:
        seed = seed_file.read(path)
        for number, entry in enumerate(seed.salesforce):
            with _at(f"{path}: salesforce[{number}]"):
                records.take(entry)
        with _at(f"{path}: whmcs.settings"):
            whmcs.configure(**seed.whmcs.settings)
        for product in seed.whmcs.products:
            whmcs.products.put(_configured(product))
        for number, call in enumerate(seed.whmcs.calls):
            with _at(f"{path}: whmcs.calls[{number}] ({call.action})"):
                calls.take(call)


def _configured(given: seed_file.Product) -> Product:
    """The product as an administrator would have configured it."""
    once = next((cycle for cycle in given.cycles if cycle in ("free", "onetime")), None)
    options = (
        ProductOption(
            each.id,
            each.name,
            OPTION_TYPES[each.kind],
            each.minimum,
            each.maximum,
            tuple(OptionChoice(choice.id, choice.name, choice.price) for choice in each.choices),
        )
        for each in given.options
    )
    return Product(
        pid=given.pid,
        gid=given.gid,
        group=given.group,
        name=given.name,
        description=given.description,
        module=MODULE if given.module is None else given.module,
        paytype=once or "recurring",
        cycles={str(cycle): price for cycle, price in given.cycles.items()},
        mark_field_id=mark_field_id(given.pid),
        mark_field=catalogue.load().whmcs_mark_field,
        options=tuple(options),
    )


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Refusals of either system, with the place in the file."""
    try:
        yield
    except ApiError as error:
        fields = f", {', '.join(error.fields)}" if error.fields else ""
        raise SeedError(f"{place}{fields}: {error.message} ({error.code})") from error
    except Refused as error:
        raise SeedError(f"{place}: {error.message}") from error
    except (SeedError, ValueError) as error:
        raise SeedError(f"{place}: {error}") from error


class _Records:
    """Makes and changes records of an org as its integration user."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._user = org.user_named(INTEGRATION_USERNAME)
        self._made: dict[str, tuple[SObject, str]] = {}

    def take(self, entry: seed_file.Entry) -> None:
        """One entry of a file. Raises ApiError or SeedError."""
        if isinstance(entry, seed_file.Change):
            sobject, record_id = self._named(entry.update)
            self._org.update(sobject.name, record_id, self._values(sobject, entry.fields), self._user)
            return
        made = self._org.schema.get(entry.type)
        if made is None or made.event:
            raise SeedError(f"there is no object {entry.type}")
        _refuse_taken(entry.ref, self._made)
        self._made[entry.ref] = made, self._org.create(made.name, self._values(made, entry.fields), self._user)

    def _values(self, sobject: SObject, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._value(sobject.field(name), value) for name, value in fields.items()}

    def _value(self, field: Field | None, value: Any) -> Any:
        if field is None or not field.references:
            return value
        if isinstance(value, dict) and len(value) == 1:
            return self._only(field, *next(iter(value.items())))
        return self._named(value)[1] if isinstance(value, str) and value.startswith("@") else value

    def _named(self, name: str) -> tuple[SObject, str]:
        ref = name.removeprefix("@")
        if not ref or ref not in self._made:
            raise SeedError(f"no record before this one has the ref “{ref}”")
        return self._made[ref]

    def _only(self, field: Field, name: str, value: Any) -> str:
        """The id of the one record, among those that the field may refer to, that has this value."""
        found = [
            str(record["Id"])
            for target in field.references
            if (column := self._org.schema[target].field(name))
            for record in self._org.records(target)
            if fold(record.get(column.name)) == fold(value)
        ]
        if len(found) != 1:
            raise SeedError(f"{field.name}: {len(found)} records have the {name} {value!r}, not 1")
        return found[0]


class _Calls:
    """Carries out actions of WHMCS' API, without its door."""

    def __init__(self, whmcs: Whmcs) -> None:
        self._whmcs = whmcs
        self._answers: dict[str, Mapping[str, Any]] = {}

    def take(self, call: seed_file.Call) -> None:
        """One call. Raises Refused or SeedError."""
        action = actions.BY_NAME.get(call.action.lower())
        if action is None:
            raise SeedError("there is no such action")
        _refuse_taken(call.ref, self._answers)
        form = {array_key(name): self._sent(value) for name, value in call.fields.items()}
        with self._whmcs.caller(""):
            answer = action.run(self._whmcs, form)
        if answer.failure:
            raise SeedError(answer.failure)
        self._answers[call.ref] = answer.payload

    def _sent(self, value: Any) -> PhpValue:
        """The value as PHP would have it from a form."""
        match value:
            case {"serialize": dict(array)} if len(value) == 1:
                return base64.b64encode(serialized.serialize(self._plain(array))).decode()
            case dict():
                return {array_key(name): self._sent(each) for name, each in value.items()}
            case list():
                return {number: self._sent(each) for number, each in enumerate(value)}
        plain = self._plain(value)
        return ("1" if plain else "") if isinstance(plain, bool) else str("" if plain is None else plain)

    def _plain(self, value: Any) -> Any:
        """The value with answers in place of their names."""
        if isinstance(value, dict):
            return {array_key(name): self._plain(each) for name, each in value.items()}
        if not isinstance(value, str) or not value.startswith("@"):
            return value
        if value.startswith("@@"):
            return value[1:]
        ref, _, key = value[1:].partition(".")
        if not ref or key not in self._answers.get(ref, {}):
            raise SeedError(f"no call before this one has the ref “{ref}” and answered “{key}”")
        return self._answers[ref][key]


def _refuse_taken(ref: str, taken: Mapping[str, object]) -> None:
    if ref and ref in taken:
        raise SeedError(f"the ref “{ref}” stands twice")
