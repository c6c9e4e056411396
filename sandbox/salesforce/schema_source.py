"""One schema file read and checked by itself, before it is held against the others (`schema_files`)."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import pydantic

from sandbox.salesforce.schema import ApiName, Described, DuplicateRule, Field, ManagedSubscription

_Prefix = Annotated[str, pydantic.StringConstraints(pattern=r"^[0-9A-Za-z]{3}$")]


class SchemaError(Exception):
    """A schema file says something no org could be; the message names the file, and the object and field if any."""


class ObjectSource(Described):
    """An object as a file describes it; see `schema_files`."""

    label: str
    plural: str = ""
    prefix: _Prefix | None = None
    fields: tuple[Field, ...] = ()
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    read_only: bool = False
    mru: bool = False
    etag: bool = False
    owner: bool = False
    currency: bool = False
    name_format: str | None = None


class EventSource(Described):
    """A platform event as a file describes it."""

    label: str
    plural: str = ""
    prefix: _Prefix | None = None
    fields: tuple[Field, ...] = ()


class SchemaFile(Described):
    """A whole file."""

    objects: dict[ApiName, ObjectSource] = {}
    fields: dict[ApiName, tuple[Field, ...]] = {}
    events: dict[ApiName, EventSource] = {}
    managed_event_subscriptions: dict[ApiName, ManagedSubscription] = {}
    channels: dict[str, tuple[str, ...]] = {}
    duplicate_rules: dict[ApiName, DuplicateRule] = {}


def read(path: Path) -> SchemaFile:
    """The file's content. Raises SchemaError, with a line for each thing that is wrong."""
    try:
        content = path.read_bytes()
        return SchemaFile.model_validate_json(content)
    except OSError as error:
        raise SchemaError(f"{path}: {error.strerror}") from error
    except pydantic.ValidationError as error:
        raise SchemaError("\n".join(f"{path}: {each}" for each in _sentences(error, content))) from error


def _sentences(error: pydantic.ValidationError, content: bytes) -> Iterator[str]:
    """What is wrong and where: object and field by name, then the key."""
    for each in error.errors(include_url=False):
        message = each["msg"].removeprefix("Value error, ")
        where = ".".join(_place(each["loc"], content))
        yield f"{where}: {message}" if where else message


def _place(location: Sequence[int | str], content: bytes) -> Iterator[str]:
    if not location:
        return
    at: Any = json.loads(content)
    for depth, step in enumerate(location):
        try:
            at = at[step]
        except (IndexError, KeyError, TypeError):
            at = None  # what is missing, or of another kind than expected, has no name either
        if isinstance(step, int) and isinstance(at, dict):
            yield str(at.get("name", step))
        elif depth + 1 == len(location) or (depth > 0 and step != "fields"):
            yield str(step)
