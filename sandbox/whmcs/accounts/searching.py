"""Finding people by the beginnings of their names, through indexes."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from sandbox.books import Book, Numbered

# No name has more parts; each one tried costs a look into the index.
_MOST_PARTS = 30


class Named(Numbered, Protocol):
    """Somebody with two names."""

    firstname: str
    lastname: str


T = TypeVar("T", bound=Named)


def beginning_so(book: Book[T], fields: Sequence[str], wanted: str) -> list[T]:
    """Records one of whose indexed fields begins so, in lower case, by id; first and last name with a space between
    them are one as well."""
    found = [each for field in fields for each in book.beginning(field, wanted)]
    parts = wanted.split(" ")
    for count in range(1, min(len(parts), _MOST_PARTS)):
        first, last = " ".join(parts[:count]), " ".join(parts[count:])
        found += [each for each in book.find("firstname", first) if each.lastname.casefold().startswith(last)]
    return [each for _, each in sorted({each.id: each for each in found}.items())]
