"""Lists of records: which part of what was found is shown, and its envelope (whmcs-wire §1.5)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sandbox.books import Book, Numbered
from sandbox.whmcs.answers import Payload, window
from sandbox.whmcs.php import PhpArray

T = TypeVar("T")
R = TypeVar("R", bound=Numbered)


@dataclass(frozen=True)
class Listing(Generic[T]):
    """A page of a list that holds `total` in all."""

    total: int
    start: int
    shown: Sequence[T]

    def envelope(self, plural: str, singular: str, row: Callable[[T], Payload]) -> Payload:
        """The answer's fields; rows are made of what is shown alone."""
        return {
            "totalresults": self.total,
            "startnumber": self.start,
            "numreturned": len(self.shown),
            plural: {singular: [row(each) for each in self.shown]},
        }


def page_of(form: PhpArray, found: Sequence[T]) -> Listing[T]:
    """The page that `limitstart` and `limitnum` ask for, 0 and 25 unless sent."""
    start, limit = window(form)
    return Listing(len(found), start, found[start : start + limit])


def page_of_book(form: PhpArray, book: Book[R], *, newest_first: bool = False) -> Listing[R]:
    """The same of every record there is, without reading those behind the page."""
    start, limit = window(form)
    return Listing(len(book), start, book.part(start, limit, newest_first=newest_first))


def page_of_index(
    form: PhpArray, book: Book[R], field: str, value: object, *, newest_first: bool = False
) -> Listing[R]:
    """The same of the records whose indexed field equals the value."""
    start, limit = window(form)
    read = book.newest if newest_first else book.oldest
    return Listing(book.count(field, value), start, read(field, value, limit=limit, skip=start))
