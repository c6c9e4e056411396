"""Which call does what, the limit it counts against, and the line it leaves in the ledger."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sandbox.ledger import Ledger
from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.events import SchemaRegistry
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import collections, composite, describing, sobjects
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.rest.queries import Queries

# Enough for a load test in a day; an Unlimited org of some size has as many.
DAILY_REQUESTS = 5_000_000
_DAILY_EVENTS = 50_000

Handler = Callable[..., Answer]


@dataclass(frozen=True)
class Route:
    """One method on one shape of path. `operation` is its name in the ledger, `{}` standing for the type."""

    method: str
    pattern: re.Pattern[str]
    operation: str
    handler: Handler


class Service:
    """Answers calls. Each one is a transaction: what fails has changed nothing and published nothing."""

    def __init__(self, org: Org, schemas: SchemaRegistry, ledger: Ledger) -> None:
        self._org = org
        self._schemas = schemas
        self._ledger = ledger
        self._queries = Queries(org)
        self._routes = self._table()
        self._day = ""
        self.used = 0

    def answer(self, call: Call) -> Answer:
        """Carry out one call of the API, errors included, and write it down."""
        self._count()
        operation, answer, outcomes = self._carry_out(call)
        number = self._ledger.write(
            "salesforce",
            operation,
            key=answer.key,
            correlation_id=call.correlation_id,
            detail={"status": answer.status, "user": call.user_id, **_errors(answer), **answer.detail},
        )
        for outcome in outcomes:
            self._note(number, call, outcome)
        return answer

    def _carry_out(self, call: Call) -> tuple[str, Answer, list[composite.Outcome]]:
        if call.method == "POST" and [each.lower() for each in call.segments] == ["composite"]:
            try:
                answer, outcomes = composite.run(self._org, call, self._dispatch)
            except ApiError as error:
                return "composite", Answer(error.status, error.body()), []
            return "composite", answer, outcomes
        operation, answer = self._dispatch(call)
        return operation, answer, []

    def _dispatch(self, call: Call) -> tuple[str, Answer]:
        operation = "unknown"
        try:
            route, arguments = self._route(call)
            operation = route.operation.format(self._type_name(arguments))
            with self._org.store.transaction():
                return operation, route.handler(call, *arguments)
        except ApiError as error:
            return operation, Answer(error.status, error.body())

    def _type_name(self, arguments: tuple[str, ...]) -> str:
        sobject = self._org.schema.get(arguments[0]) if arguments else None
        return sobject.name if sobject else ""

    def _route(self, call: Call) -> tuple[Route, tuple[str, ...]]:
        # A slash within a value is part of it, not of the path.
        path = "/".join(segment.replace("/", "\0") for segment in call.segments)
        matches = [(route, match) for route in self._routes if (match := route.pattern.fullmatch(path))]
        if not matches:
            raise not_found()
        for route, match in matches:
            if route.method == call.method:
                return route, tuple(text.replace("\0", "/") for text in match.groups())
        allowed = ",".join(dict.fromkeys(route.method for route, _ in matches))
        message = f"HTTP Method '{call.method}' not allowed. Allowed are {allowed}"
        raise ApiError("METHOD_NOT_ALLOWED", message)

    def _table(self) -> list[Route]:
        one = r"([^/]+)"
        row = rf"sobjects/{one}/{one}"
        beside = rf"{row}/{one}"
        bulk = "composite/sobjects"
        return [
            _route("GET", "", "resources", self._with_org(describing.resources)),
            _route("GET", "limits", "limits", self._limits),
            _route("GET", "query", "query", self._queries.query),
            _route("GET", "queryAll", "queryAll", self._queries.query_all),
            _route("GET", rf"query(?:All)?/{one}", "query/next", self._queries.more),
            _route("GET", "sobjects", "sobjects.list", self._with_org(describing.all_types)),
            _route("GET", rf"sobjects/{one}", "sobjects.basics {}", self._with_org(describing.basics)),
            _route("POST", rf"sobjects/{one}", "sobjects.create {}", self._with_org(sobjects.create)),
            _route("GET", rf"sobjects/{one}/describe", "sobjects.describe {}", self._with_org(describing.describe)),
            _route("GET", rf"sobjects/{one}/eventSchema", "sobjects.eventSchema {}", self._event_schema),
            _route("GET", rf"event/eventSchema/{one}", "eventSchema", self._schema_by_id),
            _route("POST", rf"sobjects/{one}/Id", "sobjects.create {}", self._with_org(sobjects.create_by_id)),
            _route("GET", row, "sobjects.read {}", self._with_org(sobjects.read)),
            _route("HEAD", row, "sobjects.read {}", self._with_org(sobjects.read)),
            _route("PATCH", row, "sobjects.update {}", self._with_org(sobjects.update)),
            _route("DELETE", row, "sobjects.delete {}", self._with_org(sobjects.delete)),
            _route("GET", beside, "sobjects.read {}", self._with_org(sobjects.read_beside)),
            _route("HEAD", beside, "sobjects.read {}", self._with_org(sobjects.read_beside)),
            _route("PATCH", beside, "sobjects.upsert {}", self._with_org(sobjects.upsert)),
            _route("DELETE", beside, "sobjects.delete {}", self._with_org(sobjects.delete_beside)),
            _route("POST", bulk, "collections.create", self._with_org(collections.create)),
            _route("PATCH", bulk, "collections.update", self._with_org(collections.update)),
            _route("DELETE", bulk, "collections.delete", self._with_org(collections.delete)),
            _route("GET", rf"{bulk}/{one}", "collections.read {}", self._with_org(collections.read)),
            _route("POST", rf"{bulk}/{one}", "collections.read {}", self._with_org(collections.read)),
            _route("PATCH", rf"{bulk}/{one}/{one}", "collections.upsert {}", self._with_org(collections.upsert)),
        ]

    def _with_org(self, handler: Handler) -> Handler:
        return lambda call, *arguments: handler(self._org, call, *arguments)

    def _event_schema(self, _: Call, type_name: str) -> Answer:
        return describing.event_schema(self._org, self._schemas, type_name)

    def _schema_by_id(self, _: Call, schema_id: str) -> Answer:
        return describing.schema_by_id(self._schemas, schema_id)

    def _limits(self, _: Call) -> Answer:
        # One subscriber takes every event once, so what was published is what was delivered.
        daily, hourly = self._published(timedelta(days=1)), self._published(timedelta(hours=1))
        return Answer(
            200,
            {
                "DailyApiRequests": _limit(DAILY_REQUESTS, self.used),
                "DailyDeliveredPlatformEvents": _limit(_DAILY_EVENTS, daily),
                "HourlyPublishedPlatformEvents": _limit(_DAILY_EVENTS, hourly),
                "MonthlyPlatformEventsUsageEntitlement": _limit(
                    _DAILY_EVENTS * 30, self._published(timedelta(days=30))
                ),
                "DataStorageMB": _limit(1024, 0),
                "FileStorageMB": _limit(1024, 0),
            },
        )

    def _published(self, within: timedelta) -> int:
        since = self._org.clock.now() - within
        return sum(each.at > since for each in self._ledger.read("salesforce", "event.publish"))

    def _count(self) -> None:
        today = f"{self._org.clock.now():%Y-%m-%d}"
        if today != self._day:
            self._day, self.used = today, 0
        self.used += 1

    def _note(self, composite_number: int, call: Call, outcome: composite.Outcome) -> None:
        answer = outcome.answer
        self._ledger.write(
            "salesforce",
            "composite/subrequest",
            key=answer.key,
            correlation_id=call.correlation_id,
            detail={
                "composite": composite_number,
                "reference": outcome.reference_id,
                "operation": outcome.operation,
                "status": answer.status,
                **_errors(answer),
                **answer.detail,
            },
        )


def _route(method: str, pattern: str, operation: str, handler: Handler) -> Route:
    return Route(method, re.compile(pattern, re.IGNORECASE), operation, handler)


def _limit(most: int, used: int) -> dict[str, int]:
    return {"Max": most, "Remaining": max(0, most - used)}


def _errors(answer: Answer) -> dict[str, Any]:
    if answer.status < 400 or not isinstance(answer.body, list):
        return {}
    return {"errors": [each["errorCode"] for each in answer.body]}
