"""Reading a state back (`sandbox.state` tells the format): all of it, or nothing of it."""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import grpc

from sandbox import sql_rows
from sandbox.clock import Clock
from sandbox.salesforce.org_schema import PREFIXES
from sandbox.store import Duplicate
from sandbox.world import World

FORMAT = "sandbox state"
VERSION = 1
LEDGER = "ledger"
_SCHEMA_FILE = re.compile(r"schemas/[A-Za-z0-9_-]{1,64}\.json")

Line = Mapping[str, Any]
T = TypeVar("T")


class BadState(ValueError):
    """A file that is no state of a sandbox, or not of this one; the sentence says where and why."""


def load(world: World, source: Iterable[bytes]) -> None:
    """Replace the state by the one in these lines. Raises BadState; nothing is changed then.

    A file without the ledger's rows leaves the ledger as it is. Streams of the Pub/Sub API are ended.
    """
    lines = _numbered(source)
    header = _header(lines)
    offset = _offset(header["offset_s"])
    loading = _Loading(world, with_ledger=header["ledger"])
    with loading.everything():
        for number, line in lines:
            try:
                loading.take(line)
            except (Duplicate, KeyError, TypeError, ValueError, sqlite3.Error) as error:
                raise BadState(f"line {number}: {error}") from error
    loading.write_files()
    world.clock.advance(offset - world.clock.offset)
    world.reload()
    world.switchboard.cut(grpc.StatusCode.UNAVAILABLE)


def _numbered(source: Iterable[bytes]) -> Iterator[tuple[int, Line]]:
    """The lines with their numbers, without the last one. Raises BadState unless that one counts the others."""
    number, ended = 0, False
    for number, text in enumerate(source, start=1):
        if ended:
            raise BadState(f"line {number}: there is more behind the end")
        line = _parsed(number, text)
        ended = "end" in line
        if ended and line["end"] != number - 1:
            raise BadState(f"line {number}: the file says that it has {line['end']} lines before this one")
        if not ended:
            yield number, line
    if not ended:
        raise BadState(f"the file ends after line {number} without saying that this is its end")


def _parsed(number: int, text: bytes) -> Line:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadState(f"line {number}: {error}") from error
    if not isinstance(line, dict):
        raise BadState(f"line {number}: this is no JSON object")
    return line


def _header(lines: Iterator[tuple[int, Line]]) -> Line:
    _, header = next(lines, (0, {}))
    match header:
        case {"format": str(found), "version": int(version), "offset_s": int() | float(), "ledger": bool()}:
            if (found, version) == (FORMAT, VERSION):
                return header
            raise BadState(f"line 1: this is version {version} of “{found}”, not version {VERSION} of “{FORMAT}”")
    raise BadState(f"line 1: this is not the first line of a “{FORMAT}”")


def _offset(seconds: float) -> timedelta:
    try:
        return Clock.possible(timedelta(seconds=seconds))
    except (OverflowError, ValueError) as error:
        raise BadState(f"line 1: no clock can be {seconds} seconds ahead") from error


class _Loading:
    """One import on its way. Every file is open in a transaction of its own until the last line was taken."""

    def __init__(self, world: World, *, with_ledger: bool) -> None:
        self._world = world
        self._paths = {name: path for name, path in world.databases.items() if with_ledger or name != LEDGER}
        self._databases: dict[str, sql_rows.Replacement] = {}
        self._files: dict[str, str] = {}
        self._prefixes = list(world.stores["salesforce"].table_of(PREFIXES).all())

    @contextmanager
    def everything(self) -> Iterator[None]:
        """All that is replaced, emptied; it is as before after an exception."""
        with ExitStack() as stack:
            for store in self._world.stores.values():
                stack.enter_context(store.replacing())
            for name, path in self._paths.items():
                self._databases[name] = stack.enter_context(sql_rows.replacing(path))
            yield

    def take(self, line: Line) -> None:
        """Put what one line says in its place. Raises ValueError, KeyError, TypeError, Duplicate or sqlite3.Error."""
        match line:
            case {"store": str(name), "kind": str(kind), "key": str(key), "record": dict(record)}:
                self._refuse_other_prefix(kind, record)
                _named("store", name, self._world.stores).table_of(kind).put(key, record)
            case {"store": str(name), "counter": str(counter), "value": int(value)}:
                _named("store", name, self._world.stores).set_counter(counter, value)
            case {"database": str(name), "table": str(table), "row": dict(row)}:
                _named("database", name, self._databases).insert(table, row)
            case {"file": str(path), "text": str(text)} if _SCHEMA_FILE.fullmatch(path):
                json.loads(text)
                self._files[path] = text
            case _:
                raise ValueError("this is neither a record, a counter, a row nor an event schema")

    def _refuse_other_prefix(self, kind: str, record: Mapping[str, Any]) -> None:
        """Ids of custom types begin as the schema in memory says."""
        for known in self._prefixes if kind == PREFIXES else ():
            if known["name"] == record["name"] and known["prefix"] != record["prefix"]:
                here, there = known["prefix"], record["prefix"]
                raise ValueError(f"ids of {known['name']} begin with {there} there and with {here} here")

    def write_files(self) -> None:
        """Keep the event schemas beside those that are there."""
        for path, text in self._files.items():
            (self._world.config.state / path).write_text(text, encoding="utf-8")


def _named(what: str, name: str, those: Mapping[str, T]) -> T:
    if name not in those:
        raise ValueError(f"there is no {what} {name} here, only {', '.join(those)}")
    return those[name]
