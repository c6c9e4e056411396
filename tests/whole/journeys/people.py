"""The travellers: somebody new in each cell of each journey, who writes their name as their language does."""

from dataclasses import dataclass

from django.conf import settings

from tests.whole.journeys.cells import Cell

BRAND = settings.BRAND_NAME
PASSWORD = "plum rain on the veranda"
NAMES = {"en": ("Hanako", "Ito"), "ja": ("花子", "伊藤")}


@dataclass(frozen=True)
class Person:
    """`number` is the customer number of those who were here before."""

    email: str
    given_name: str
    family_name: str
    number: str = ""


def somebody(journey: str, cell: Cell, number: str = "") -> Person:
    return Person(f"{journey}.{cell}@example.jp", *NAMES[cell.language], number)
