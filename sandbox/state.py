"""The whole state of a sandbox as a file of lines, each a JSON object in UTF-8: written, read back, and begun anew.

The first line says what the file is, the last one how many lines came before it; between them stand, in any order:

    {"format": "sandbox state", "version": 1, "exported_at": "2026-11-21T00:00:00Z", "offset_s": 0.0, "ledger": true}
    {"store": "salesforce", "counter": "Order", "value": 12}
    {"store": "salesforce", "kind": "Order", "key": "801000000000001AAA", "record": {"Id": "801000000000001AAA", …}}
    {"database": "bus", "table": "events", "row": {"replay": 7, "topic": "/event/X__e", "payload": {"base64": "…"}, …}}
    {"file": "schemas/k3Jq.json", "text": "{…}"}
    {"end": 5}

`offset_s` is how far the clock is ahead. Records come in the order in which they were made. With `"ledger": false` the
file has no rows of the ledger. Keys and certificates are no state: they belong to the folder and stay as they are.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import astuple, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sandbox import sql_rows
from sandbox.restoring import FORMAT, LEDGER, VERSION, Line, load
from sandbox.salesforce.org_schema import PREFIXES
from sandbox.store import Store
from sandbox.world import World


class Sink(Protocol):
    """A file opened for writing."""

    def write(self, data: bytes, /) -> object:
        """Add the bytes."""


def export(world: World, file: Sink, *, ledger: bool = True) -> None:
    """Write the state down. Nothing can change meanwhile: nothing here waits."""
    number = 0
    for number, line in enumerate(_lines(world, ledger=ledger), start=1):  # noqa: B007
        file.write(_encoded(line))
    file.write(_encoded({"end": number}))


def reset(world: World, *, ledger: bool = False) -> None:
    """Begin anew, as at the first start with this configuration; the ledger goes on unless it is to be emptied too.

    Raises what the first start raises, such as for a seed file that has become wrong; nothing is changed then.
    """
    with tempfile.TemporaryDirectory(prefix="sandbox-") as folder:
        state = Path(folder)
        for key in astuple(world.authority):
            shutil.copy(key, state)
        _copy_prefixes(world, state)
        with closing(World(replace(world.config, state=state))) as fresh, tempfile.TemporaryFile() as file:
            export(fresh, file, ledger=ledger)
            file.seek(0)
            load(world, file)
    for store in world.stores.values():
        store.db.execute("VACUUM")


def _copy_prefixes(world: World, folder: Path) -> None:
    """Let a new org give custom types the prefixes by which this one knows them."""
    with closing(Store(folder / "salesforce.db")) as store:
        table = store.table(PREFIXES)
        for kind, key, record in world.stores["salesforce"].records():
            if kind == PREFIXES:
                table.put(key, record)


def _encoded(line: Line) -> bytes:
    """JSON lets halves of characters through, so the encoding does as well."""
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"


def _lines(world: World, *, ledger: bool) -> Iterator[Line]:
    offset = world.clock.offset.total_seconds()
    yield {
        "format": FORMAT,
        "version": VERSION,
        "exported_at": datetime.now(UTC).isoformat(),
        "offset_s": offset,
        "ledger": ledger,
    }
    for name, store in world.stores.items():
        for counter, value in store.counters().items():
            yield {"store": name, "counter": counter, "value": value}
        for kind, key, record in store.records():
            yield {"store": name, "kind": kind, "key": key, "record": record}
    for name, path in world.databases.items():
        if ledger or name != LEDGER:
            yield from ({"database": name, **row} for row in sql_rows.read(path))
    for path in sorted((world.config.state / "schemas").glob("*.json")):
        yield {"file": f"schemas/{path.name}", "text": path.read_text(encoding="utf-8")}
