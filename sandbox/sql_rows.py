"""The rows of a SQLite file that belongs to one system: read as JSON values, and put in place of those there are."""

import base64
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Every row of every table as `{"table": name, "row": {column: cell}}`; bytes as `{"base64": text}`."""
    with closing(sqlite3.connect(path)) as database:
        for table, columns in _tables(database).items():
            for row in database.execute(f'SELECT * FROM "{table}" ORDER BY rowid'):  # noqa: S608
                cells = {column: _shown(cell) for column, cell in zip(columns, row, strict=True)}
                yield {"table": table, "row": cells}


class Replacement:
    """A file whose tables were emptied, in a transaction that is under way."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._columns = _tables(database)

    def insert(self, table: str, row: Mapping[str, Any]) -> None:
        """Add a row as `read` gives it. Raises ValueError or sqlite3.Error for one that does not fit the table."""
        if table not in self._columns:
            raise ValueError(f"there is no table {table}, only {', '.join(self._columns)}")
        odd = row.keys() ^ set(self._columns[table])
        if odd:
            raise ValueError(f"the columns of {table} differ by {', '.join(sorted(odd))}")
        columns, marks = ", ".join(f'"{column}"' for column in row), ", ".join("?" for _ in row)
        statement = f'INSERT INTO "{table}" ({columns}) VALUES ({marks})'  # noqa: S608
        self._database.execute(statement, [_cell(each) for each in row.values()])


@contextmanager
def replacing(path: Path) -> Iterator[Replacement]:
    """Empty tables to be filled inside; everything is as before after an exception."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        try:
            with _without_triggers(database):
                for table in _tables(database):
                    database.execute(f'DELETE FROM "{table}"')  # noqa: S608
                yield Replacement(database)
            database.execute("COMMIT")
        except BaseException:
            database.execute("ROLLBACK")
            raise


@contextmanager
def _without_triggers(database: sqlite3.Connection) -> Iterator[None]:
    """Those of the ledger would keep its rows from going."""
    triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        database.execute(f'DROP TRIGGER "{name}"')
    yield
    for _, statement in triggers:
        database.execute(statement)


def _tables(database: sqlite3.Connection) -> dict[str, list[str]]:
    """Columns by table; SQLite's own tables are left out."""
    statement = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    names = [name for (name,) in database.execute(statement)]
    return {name: [row[1] for row in database.execute(f'PRAGMA table_info("{name}")')] for name in names}


def _shown(cell: Any) -> Any:
    return {"base64": base64.b64encode(cell).decode()} if isinstance(cell, bytes) else cell


def _cell(shown: Any) -> Any:
    return base64.b64decode(shown["base64"], validate=True) if isinstance(shown, dict) else shown
