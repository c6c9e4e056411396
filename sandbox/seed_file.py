"""Seed files: what somebody else's org and installation begin with (docs/sandbox.md shows one).

    {
     "salesforce": [
      {"ref": "aiko", "type": "Account", "fields": {"Name": "Tanaka Aiko"}},
      {"type": "Contact", "fields": {"AccountId": "@aiko", "LastName": "Tanaka"}},
      {"update": "@aiko", "fields": {"Phone": "+81 3-5550-0100"}}
     ],
     "whmcs": {
      "settings": {"stores_notes": true},
      "products": [
       {"pid": 901, "name": "Home fibre", "group": "Fibre", "gid": 9, "cycles": {"monthly": 4400}, "options": [
        {"id": 91, "name": "Router", "kind": "dropdown", "choices": [{"id": 911, "name": "None", "price": 0}]}]}
      ],
      "calls": [
       {"ref": "client", "action": "AddClient", "fields": {"firstname": "Aiko", …, "skipvalidation": true}},
       {"action": "AddOrder", "fields": {"clientid": "@client.clientid", "pid": [301], "paymentmethod": "stripe"}}
      ]
     }
    }

A product has the price of each period in yen, or `{"onetime": 3300}`, or `{"free": 0}`. An option is a `dropdown` with
its choices, or `yesno` or `quantity` with one, whose price is that of a yes or of each. `"module": ""` leaves a product
without a provisioning module.

Records and calls are carried out in the order of the file, by the same rules as over the API. In a reference field
`"@name"` is the id of the record with this `ref`, and `{"field": value}` the one record of the referenced type whose
field has this value. In a call `"@name.key"` is what an earlier call answered under `key`, a list is what PHP would get
as `name[0]`, `name[1]` …, and `{"serialize": {…}}` is base64 of the serialised array. `"@@"` begins a text with an @.
"""

import json
from pathlib import Path
from typing import Annotated, Literal

import pydantic

Cycle = Literal["free", "onetime", "monthly", "quarterly", "semiannually", "annually", "biennially", "triennially"]


class SeedError(Exception):
    """A seed file that cannot be; the sentence names the file and the place in it."""


class Record(pydantic.BaseModel, extra="forbid"):
    """A record to be made."""

    ref: str = ""
    type: str
    fields: dict[str, pydantic.JsonValue] = {}


class Change(pydantic.BaseModel, extra="forbid"):
    """Fields to be changed in a record made before."""

    update: str = pydantic.Field(pattern="^@.")
    fields: dict[str, pydantic.JsonValue]


class Call(pydantic.BaseModel, extra="forbid"):
    """An action of WHMCS' API to be carried out."""

    ref: str = ""
    action: str
    fields: dict[str, pydantic.JsonValue] = {}


Entry = Annotated[
    Annotated[Record, pydantic.Tag("record")] | Annotated[Change, pydantic.Tag("change")],
    pydantic.Discriminator(lambda entry: "change" if isinstance(entry, dict) and "update" in entry else "record"),
]


class Choice(pydantic.BaseModel, extra="forbid"):
    """A choice of an option; its price is added to that of each period."""

    id: pydantic.PositiveInt
    name: str
    price: pydantic.NonNegativeInt = 0


class Option(pydantic.BaseModel, extra="forbid"):
    """A configurable option of a product."""

    id: pydantic.PositiveInt
    name: str
    kind: Literal["dropdown", "yesno", "quantity"]
    minimum: pydantic.NonNegativeInt = 0
    maximum: pydantic.NonNegativeInt = 0
    choices: list[Choice] = pydantic.Field(min_length=1)


class Product(pydantic.BaseModel, extra="forbid"):
    """A product of WHMCS."""

    pid: pydantic.PositiveInt
    name: str
    group: str = "Products"
    gid: pydantic.PositiveInt = 1
    description: str = ""
    module: str | None = None
    cycles: dict[Cycle, pydantic.NonNegativeInt] = pydantic.Field(min_length=1)
    options: list[Option] = []

    @pydantic.model_validator(mode="after")
    def _one_way_to_pay(self) -> "Product":
        if len(self.cycles) > 1 and not self.cycles.keys().isdisjoint({"free", "onetime"}):
            raise ValueError("free and onetime go with no other cycle")
        return self


class Whmcs(pydantic.BaseModel, extra="forbid"):
    """What is told to WHMCS, in this order."""

    settings: dict[str, pydantic.JsonValue] = {}
    products: list[Product] = []
    calls: list[Call] = []


class Seed(pydantic.BaseModel, extra="forbid"):
    """One file."""

    salesforce: list[Entry] = []
    whmcs: Whmcs = Whmcs()


def read(path: Path) -> Seed:
    """The file. Raises SeedError for one that is not there or not what it should be."""
    try:
        source = json.loads(path.read_bytes())
    except OSError as error:
        raise SeedError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise SeedError(f"{path}: {error}") from error
    try:
        return Seed.model_validate(source)
    except pydantic.ValidationError as error:
        raise SeedError(f"{path}: {_first(error)}") from error


def _first(error: pydantic.ValidationError) -> str:
    """The first thing that is wrong, with its place as one would write it in JavaScript."""
    wrong = error.errors()[0]
    steps = [step for step in wrong["loc"] if step not in ("record", "change")]
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return f"{place.removeprefix('.')}: {wrong['msg']}" if place else wrong["msg"]
