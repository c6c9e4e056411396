"""Which method on which path is answered by which function."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.salesforce.errors import ApiError, method_not_allowed, not_found
from sandbox.salesforce.events import SchemaRegistry
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import (
    batches,
    beside,
    collections,
    composite,
    describing,
    graphs,
    recent,
    replication,
    retrieval,
    sobjects,
    tooling,
    trees,
)
from sandbox.salesforce.rest.calls import Answer, Call, Dispatch
from sandbox.salesforce.rest.queries import Queries

Handler = Callable[..., Answer]
# In the order in which refusals name them.
_METHODS = ("HEAD", "GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Route:
    """One method on one shape of path. `operation` is its name in the ledger, `{}` standing for the type; `atomic`
    says that the call is one transaction, rather than each of the calls in it."""

    method: str
    pattern: re.Pattern[str]
    operation: str
    handler: Handler
    atomic: bool = True


class Routes:
    """Finds the function that answers a call; `dispatch` carries out the calls inside of one."""

    def __init__(self, org: Org, schemas: SchemaRegistry, limits: Callable[[Call], Answer], dispatch: Dispatch) -> None:
        self._org = org
        self._schemas = schemas
        self._queries = Queries(org)
        self._dispatch = dispatch
        self._routes = [
            _route("GET", "limits", "limits", limits),
            *self._about_the_org(),
            *self._rows(),
            *self._many_rows(),
            *self._many_calls(),
            *(_route(method, r"jobs(?:/.*)?", "bulk", _not_enabled) for method in _METHODS),
        ]

    def operations(self) -> list[str]:
        """The operation of every route."""
        return [route.operation for route in self._routes]

    def find(self, method: str, segments: Sequence[str]) -> tuple[Route, tuple[str, ...]]:
        """The route and the variable parts of its path. Raises ApiError NOT_FOUND or METHOD_NOT_ALLOWED."""
        # A slash within a value is part of it, not of the path.
        path = "/".join(segment.replace("/", "\0") for segment in segments)
        matches = [(route, match) for route in self._routes if (match := route.pattern.fullmatch(path))]
        if not matches:
            raise not_found()
        # The first shape that fits is the resource; others may take the same words for an id.
        resource = [(route, match) for route, match in matches if route.pattern == matches[0][0].pattern]
        for route, match in resource:
            if route.method == ("GET" if method == "HEAD" else method):
                return route, tuple(text.replace("\0", "/") for text in match.groups())
        allowed = {route.method for route, _ in resource}
        raise method_not_allowed(
            method, [each for each in _METHODS if each in allowed or (each == "HEAD" and "GET" in allowed)]
        )

    def _about_the_org(self) -> list[Route]:
        one = r"([^/]+)"
        return [
            _route("GET", "", "resources", self._with_org(describing.resources)),
            _route("GET", "query", "query", self._queries.query),
            _route("GET", "queryAll", "queryAll", self._queries.query_all),
            _route("GET", rf"query(?:All)?/{one}", "query/next", self._queries.more),
            _route("GET", "tooling/query", "tooling.query", self._with_org(tooling.query)),
            _route("GET", "sobjects", "sobjects.list", self._with_org(describing.all_types)),
            _route("GET", rf"sobjects/{one}", "sobjects.basics {}", self._with_org(describing.basics)),
            _route("GET", rf"sobjects/{one}/describe", "sobjects.describe {}", self._with_org(describing.describe)),
            _route("GET", rf"sobjects/{one}/updated", "sobjects.updated {}", self._with_org(replication.updated)),
            _route("GET", rf"sobjects/{one}/deleted", "sobjects.deleted {}", self._with_org(replication.deleted)),
            _route("GET", "recent", "recent", self._with_org(recent.recent)),
            _route("GET", rf"sobjects/{one}/eventSchema", "sobjects.eventSchema {}", self._event_schema),
            _route("GET", rf"event/eventSchema/{one}", "eventSchema", self._schema_by_id),
        ]

    def _rows(self) -> list[Route]:
        one = r"([^/]+)"
        row = rf"sobjects/{one}/{one}"
        below = rf"{row}/{one}"
        return [
            _route("POST", rf"sobjects/{one}", "sobjects.create {}", self._with_org(sobjects.create)),
            _route("POST", rf"sobjects/{one}/Id", "sobjects.create {}", self._with_org(sobjects.create_by_id)),
            _route("GET", row, "sobjects.read {}", self._with_org(sobjects.read)),
            _route("PATCH", row, "sobjects.update {}", self._with_org(sobjects.update)),
            _route("DELETE", row, "sobjects.delete {}", self._with_org(sobjects.delete)),
            _route("GET", below, "sobjects.read {}", self._with_org(beside.read)),
            _route("PATCH", below, "sobjects.upsert {}", self._with_org(beside.write)),
            _route("DELETE", below, "sobjects.delete {}", self._with_org(beside.delete)),
        ]

    def _many_rows(self) -> list[Route]:
        one, bulk = r"([^/]+)", "composite/sobjects"
        return [
            _route("POST", bulk, "collections.create", self._with_org(collections.create)),
            _route("PATCH", bulk, "collections.update", self._with_org(collections.update)),
            _route("DELETE", bulk, "collections.delete", self._with_org(collections.delete)),
            _route("GET", rf"{bulk}/{one}", "collections.read {}", self._with_org(retrieval.retrieve)),
            _route("POST", rf"{bulk}/{one}", "collections.read {}", self._with_org(retrieval.retrieve)),
            _route("PATCH", rf"{bulk}/{one}/{one}", "collections.upsert {}", self._with_org(collections.upsert)),
            _route("POST", rf"composite/tree/{one}", "tree {}", self._with_org(trees.create)),
        ]

    def _many_calls(self) -> list[Route]:
        return [
            _route("GET", "composite", "composite.list", self._with_org(composite.resources)),
            self._of_calls("composite", composite.run),
            self._of_calls("composite/batch", batches.run),
            self._of_calls("composite/graph", graphs.run),
        ]

    def _of_calls(self, path: str, run: Callable[[Org, Dispatch, Call], Answer]) -> Route:
        return _route("POST", path, path, lambda call: run(self._org, self._dispatch, call), atomic=False)

    def _with_org(self, handler: Handler) -> Handler:
        return lambda call, *arguments: handler(self._org, call, *arguments)

    def _event_schema(self, _: Call, type_name: str) -> Answer:
        return describing.event_schema(self._org, self._schemas, type_name)

    def _schema_by_id(self, _: Call, schema_id: str) -> Answer:
        return describing.schema_by_id(self._schemas, schema_id)


def _not_enabled(_: Call) -> Answer:
    """Bulk API 2.0 in an org without it"""
    raise ApiError("FUNCTIONALITY_NOT_ENABLED", "This feature is not currently enabled for this user.")


def _route(method: str, pattern: str, operation: str, handler: Handler, *, atomic: bool = True) -> Route:
    return Route(method, re.compile(pattern, re.IGNORECASE), operation, handler, atomic)
