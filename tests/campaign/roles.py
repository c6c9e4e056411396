"""What a forked process becomes: one of the portal's processes, as production runs it."""

import signal
import threading
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

EARLY_S = 0.2  # so that a round a second does not become one every two
RECONCILE_S = 4  # instead of ten minutes; the clean-up comes as often
ALSO = ("notifications.jobs.send_due",)
IMPORTED = (
    "django_rq.management.commands.rqworker",
    "portal.clients",
    "portal.workers",
    "provisioning.jobs",
    "provisioning.management.commands.subscribe_sf_events",
    "provisioning.staff",
    "rq.worker",
)


def subscriber(_arguments: Mapping[str, Any]) -> None:
    from django.core.management import call_command

    call_command("subscribe_sf_events")


def worker(_arguments: Mapping[str, Any]) -> None:
    from django.core.management import call_command

    call_command(
        "rqworker",
        "provisioning",
        worker_class="portal.workers.Worker",
        serializer="rq.serializers.JSONSerializer",
        max_jobs=500,
    )


def housekeeping(_arguments: Mapping[str, Any]) -> None:
    """The rounds of portal/cron.py that have to do with provisioning, in a loop and without Redis.

    The jobs are the same functions under the same locks; what rqcron and a worker of that queue would add is two more
    idle processes per cell and the wake-ups by Redis, which tests/whole has running.
    """
    import structlog
    from django.conf import settings
    from django.db import close_old_connections
    from django.utils.module_loading import import_string

    from portal.cron import EVERY
    from provisioning import jobs

    jobs.RECONCILE_S, jobs.ROUNDS_PER_CLEAN_UP = RECONCILE_S, RECONCILE_S
    periods = {name: EVERY[name] for name in EVERY if name.startswith("provisioning.") or name in ALSO}
    periods |= {"provisioning.jobs.reconcile": RECONCILE_S, "provisioning.jobs.clean_up": RECONCILE_S}
    due = dict.fromkeys(periods, 0.0)
    log, ended = structlog.get_logger(__name__), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    while not ended.is_set():
        for name in [name for name, at in due.items() if at <= time.monotonic()]:
            due[name] = time.monotonic() + periods[name] - EARLY_S
            close_old_connections()  # as portal.workers.Worker does around each job
            try:
                import_string(name)()
            except Exception:
                log.exception("round_failed", run=name)
        ended.wait(settings.SWEEP_S)


def staff(arguments: Mapping[str, Any]) -> None:
    """A member of staff presses a button of the admin for the order's newest attempt."""
    from provisioning import pause
    from provisioning import staff as buttons
    from provisioning.models import Attempt

    if arguments["button"] == "pause":
        pause.pause(by="op@portal.test", reason="campaign")
        pause.resume(by="op@portal.test", reason="campaign")
        return
    attempt = Attempt.objects.filter(order_id=arguments["order_id"]).latest("created_at")
    getattr(buttons, arguments["button"])(attempt, buttons.Decision("op@portal.test", "campaign"))


ROLES: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
    "subscriber": subscriber,
    "worker": worker,
    "second": worker,
    "housekeeping": housekeeping,
    "staff": staff,
}


def prepare() -> None:
    """Imports everything the roles use, so that a fork has it. Touches no connection and no channel."""
    for name in IMPORTED:
        import_module(name)
