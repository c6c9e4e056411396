"""Seed files: what somebody else's org and installation begin with (docs/sandbox.md shows one).

    {
     "salesforce": [
      {"ref": "aiko", "type": "Account", "fields": {"Name": "Tanaka Aiko"}},
      {"type": "Contact", "fields": {"AccountId": "@aiko", "LastName": "Tanaka"}},
      {"update": "@aiko", "fields": {"Phone": "+81 3-5550-0100"}}
     ],
     "whmcs": {
      "settings": {"stores_notes": true},
      "calls": [
       {"ref": "client", "action": "AddClient", "fields": {"firstname": "Aiko", …, "skipvalidation": true}},
       {"action": "AddOrder", "fields": {"clientid": "@client.clientid", "pid": [301], "paymentmethod": "stripe"}}
      ]
     }
    }

Records and calls are carried out in the order of the file, by the same rules as over the API. In a reference field
`"@name"` is the id of the record with this `ref`, and `{"field": value}` the one record of the referenced type whose
field has this value. In a call `"@name.key"` is what an earlier call answered under `key`, a list is what PHP would get
as `name[0]`, `name[1]` …, and `{"serialize": {…}}` is base64 of the serialised array. `"@@"` begins a text with an @.
"""

import json
from pathlib import Path
from typing import Annotated

import pydantic


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


class Whmcs(pydantic.BaseModel, extra="forbid"):
    """What is told to WHMCS: its settings first."""

    settings: dict[str, pydantic.JsonValue] = {}
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
