"""What load balancers, operators and Prometheus ask (observability.md §4). No page here calls an outside system."""

import hmac
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError

from portal.metrics.collector import registry as counted
from provisioning import wakeups
from provisioning.health import sf_events_status

INTERNAL = {"127.0.0.1", "::1", ""}  # empty: over the Unix socket


def may_see_details(request: HttpRequest) -> bool:
    """The token, or this machine itself and no proxy in between (security.md §6)."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.HEALTH_TOKEN and hmac.compare_digest(given.encode(), settings.HEALTH_TOKEN.encode()):
        return True
    return request.META.get("REMOTE_ADDR") in INTERNAL and "X-Forwarded-For" not in request.headers


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """This process answers; nothing else is looked at, so that no outage restarts it."""
    return JsonResponse({"status": "ok"})


def _database_says() -> dict[str, Any]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        executor = MigrationExecutor(connection)
        waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return {"status": "down", "database": "unreachable"}
    return {"status": "down" if waiting else "ok", "database": "ok", "migrations_missing": waiting}


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """May get traffic: the database answers and is migrated. Details for insiders."""
    answer = _database_says()
    shown = answer if may_see_details(request) else {"status": answer["status"]}
    return JsonResponse(shown, status=200 if answer["status"] == "ok" else 503)


@never_cache
@require_safe
def sf_events(request: HttpRequest) -> HttpResponse:
    """How the subscriber is, read from the row it writes. 503 only for `down`; details for insiders."""
    try:
        answer = sf_events_status(timezone.now())
    except DatabaseError:
        answer = {"status": "down", "last_error": "database unreachable"}
    shown = answer if may_see_details(request) else {"status": answer["status"]}
    return JsonResponse(shown, status=503 if answer["status"] == "down" else 200)


def _redis_says() -> dict[str, Any]:
    """A Redis that evicts loses jobs in silence; one that is full or away costs wake-ups, which sweeps repeat."""
    try:
        memory = wakeups.queue().connection.info("memory")
    except RedisError as error:
        return {"status": "down", "error": type(error).__name__}
    policy, limit, used = memory["maxmemory_policy"], memory["maxmemory"], memory["used_memory"]
    status = "evicts" if policy != "noeviction" else "full" if 0 < limit <= used else "ok"
    return {"status": status, "maxmemory_policy": policy, "maxmemory": limit, "used_memory": used}


@never_cache
@require_safe
def deps(request: HttpRequest) -> HttpResponse:
    """How what we depend on is, for people: always 200. For insiders; to everybody else the address does not exist."""
    if not may_see_details(request):
        raise Http404
    return JsonResponse({"redis": _redis_says()})


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for insiders; to everybody else the address does not exist."""
    if not may_see_details(request):
        raise Http404
    text = generate_latest() + generate_latest(counted)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)
