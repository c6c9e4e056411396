"""Logs: one line each, UTC, allow-listed keys only (observability.md §5, security.md §6)."""

import logging.config
import re
import sys
from collections.abc import Mapping, MutableMapping
from traceback import walk_tb
from types import TracebackType
from typing import Any

import structlog
from django.conf import settings

WORDS = """
    ts level event msg logger release pid where exception_type dropped_keys correlation_id
    system operation result duration_ms status method route queue sweeper action count state step epoch
    attempt_id order_id task_id journey case_id check_id email_id check document error_code reason code kind
    user_id channel topic replay rpc_id seconds leader run by_portal
"""
ALLOWED = frozenset(WORDS.split())
LONGEST = 300  # characters of a message
ADDRESS = re.compile(r":? /")  # where the address begins in "Not Found: /…" and "Error handling request GET /…"
FRAMES = 6  # innermost frames named in the log line of an exception
Event = MutableMapping[str, Any]


def only_allowed(_logger: object, _method: str, event: Event) -> Event:
    """Drops every key nobody allowed, and says how many were dropped."""
    kept = {key: value for key, value in event.items() if key in ALLOWED or key.startswith("_")}
    if dropped := len(event) - len(kept):
        kept["dropped_keys"] = dropped
    return kept


def _places(trace: TracebackType | None) -> list[str]:
    """Module and line of every frame, outermost first."""
    return [f"{frame.f_globals.get('__name__', '?')}:{line}" for frame, line in walk_tb(trace)]


def exception_without_text(_logger: object, _method: str, event: Event) -> Event:
    """Keeps an exception's type and place; its text may hold what a customer typed."""
    info = event.pop("exc_info", None)
    info = sys.exc_info() if info is True else info
    error = info[1] if isinstance(info, tuple) else info if isinstance(info, BaseException) else None
    if error is not None:
        event["exception_type"] = type(error).__name__
        event["where"] = " < ".join(reversed(_places(error.__traceback__)[-FRAMES:]))
    return event


def without_addresses(_logger: object, _method: str, event: Event) -> Event:
    """Django and gunicorn name the address that failed; it may hold a link's key or a name: the route stands for it."""
    if str(event.get("logger", "")).startswith(("django.request", "django.security", "gunicorn")):
        event["event"] = ADDRESS.split(str(event["event"]), maxsplit=1)[0]
        match = getattr(getattr(event.get("_record"), "request", None), "resolver_match", None)
        event.update({"route": match.route} if match else {})
    return event


def first_line(_logger: object, _method: str, event: Event) -> Event:
    """Some libraries put a traceback, texts and all, into the message; its first line says what happened."""
    event["event"] = str(event.get("event", "")).partition("\n")[0][:LONGEST]
    return event


def constant_facts(_logger: object, _method: str, event: Event) -> Event:
    event["release"] = settings.RELEASE
    return event


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
    structlog.processors.CallsiteParameterAdder([structlog.processors.CallsiteParameter.PROCESS]),
]


def renamed_process(_logger: object, _method: str, event: Event) -> Event:
    if "process" in event:
        event["pid"] = event.pop("process")
    return event


def configure(logging_settings: Mapping[str, Any]) -> None:
    """Django's LOGGING_CONFIG: everything goes to stderr, through the allow-list. A failing handler never raises."""
    renderer: Any = structlog.processors.JSONRenderer() if settings.LOG_JSON else structlog.dev.ConsoleRenderer()
    tail = [
        without_addresses,
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        exception_without_text,
        first_line,
        only_allowed,
        renderer,
    ]
    logging.raiseExceptions = False
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "portal": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [*SHARED, renamed_process, constant_facts],
                    "processors": tail,
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "portal"}},
            "root": {"handlers": ["stderr"], "level": logging_settings["level"]},
            "loggers": {
                "django": {"handlers": [], "level": "INFO", "propagate": True},
                "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
                "gunicorn.error": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
                "rq": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            renamed_process,
            constant_facts,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
