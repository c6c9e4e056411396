"""Waiting for something another process does: looks again and again until a deadline; never a fixed sleep."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T], *, what: str, timeout_s: float = 20) -> T:
    """The first true answer of `look`; fails the test with `what` after `timeout_s`."""
    deadline, pause = time.monotonic() + timeout_s, threading.Event()
    while True:
        if found := look():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s} s in vain for: {what}")
        pause.wait(0.05)
