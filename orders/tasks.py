"""A thing that an order needs, as the customer reads it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Text = str | Promise
TaskState = Literal["done", "todo", "wait"]
# missing: the customer or somebody else brings it; ruled_out: this order cannot be, whatever one brings; unasked: an
# outside system did not answer.
Why = Literal["missing", "ruled_out", "unasked"]
TO_DO, WAITING = pgettext_lazy("task", "To do"), pgettext_lazy("task", "Waiting")


@dataclass(frozen=True)
class Task:
    """One thing the order needs: done, the customer's to do, or waiting for somebody else."""

    key: str
    state: TaskState
    name: Text
    text: Text
    action: Text = ""
    url: str = ""
    blocks: bool = False  # the order cannot be placed like this
    word: Text = ""  # on its badge, instead of what its state says
    why: Why = "missing"


def open_tasks(found: Sequence[Task]) -> tuple[Task, ...]:
    """Those that keep the order from being placed."""
    return tuple(task for task in found if task.blocks)


def leading_back(task: Task, back: str) -> Task:
    """The task whose link brings whoever went to do it back to the page `back`."""
    elsewhere = task.blocks and not task.url.startswith((reverse("cart"), reverse("checkout"), reverse("catalog")))
    if not elsewhere or not task.url or "?" in task.url:
        return task
    return replace(task, url=f"{task.url}?{urlencode({'next': back})}")


def cannot_ask(key: str, title: Text) -> Task:
    """WHMCS does not answer: nobody knows, and trying again is all there is to do."""
    return Task(
        key,
        "wait",
        title,
        _("Our billing service does not answer just now. Your cart is kept; try again in a few minutes."),
        _("Try again"),
        reverse("checkout"),
        blocks=True,
        word=WAITING,
        why="unasked",
    )
