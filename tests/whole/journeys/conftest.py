"""A journey's window and the world around it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from sandbox.demo.stack import Stack
from tests.whole.journeys.cells import Cell
from tests.whole.journeys.outside import Outside
from tests.whole.journeys.people import Person, somebody
from tests.whole.journeys.window import Window

Setting = tuple[Window, Outside, Person]


@pytest.fixture
def journey(browser: Browser, stack: Stack, cell: Cell) -> Iterator[Callable[[str], Setting]]:
    """Begins the journey of this name. When it is over, every page it came through must have been right."""
    begun: list[Window] = []

    def begin(name: str) -> Setting:
        person = somebody(name, cell)
        window = Window(browser, stack, name, cell)
        begun.append(window)
        return window, Outside(stack, person.email, cell.language), person

    yield begin
    for window in begun:
        window.shot("end")
        window.close()
        assert not window.problems, "\n".join(window.problems)
