"""What other people's log lines may not bring along."""

import logging

import pytest
from structlog.stdlib import ProcessorFormatter

from portal.logging import without_addresses

KEY = "/account/password/reset/key/3-canary/"


@pytest.mark.parametrize(
    ("logger", "message", "kept"),
    [
        ("django.request", f"Not Found: {KEY}", "Not Found"),
        ("gunicorn.error", f"Error handling request GET {KEY}", "Error handling request GET"),
        ("gunicorn.error", "Worker exiting (pid: 7)", "Worker exiting (pid: 7)"),
    ],
)
def test_the_address_is_cut_off(logger: str, message: str, kept: str) -> None:
    assert without_addresses(None, "", {"logger": logger, "event": message})["event"] == kept


def test_gunicorns_errors_pass_through_our_formatter() -> None:
    gunicorn = logging.getLogger("gunicorn.error")
    assert not gunicorn.propagate
    assert isinstance(gunicorn.handlers[0].formatter, ProcessorFormatter)
