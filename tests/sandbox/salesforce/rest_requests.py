"""Requests to the REST API at random: most of them nearly right, some of them anything at all."""

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from sandbox.salesforce import ids, schema_files
from sandbox.salesforce.schema import NUMBERS, Field, SObject

T = TypeVar("T")
Shape = tuple[str, tuple[str, ...], Any]
SCHEMA = schema_files.load()
TYPES = ("Account", "Contact", "Opportunity", "Order", "OrderItem", "PricebookEntry", "Case", "CaseComment", "Task",
         "ContentVersion", "ContentDocumentLink", "Attachment", "User", "OrderProvisionRequested__e")  # fmt: skip
WORDS = ("sobjects", "query", "queryAll", "composite", "limits", "recent", "describe", "updated", "deleted", "tree",
         "batch", "graph", "event", "eventSchema", "layouts", "tooling", "Id", "search", ".", "..", "", "Nothing",
         "account", "Account.json", "Account.xml")  # fmt: skip
MOMENTS = ("2026-11-21T00:00:00Z", "2026-11-21T00:00:00+09:00", "2001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "now")
HTTP_DATES = ("Sat, 21 Nov 2026 12:00:00 GMT", "Sat, 21 Nov 2999 12:00:00 +9900", "yesterday", "")
SOQL = ("SELECT Id FROM Account", "SELECT Name, (SELECT Id FROM Contacts) FROM Account WHERE Name LIKE '%'", "SELECT",
        "SELECT COUNT() FROM Order", "SELECT Id FROM Order WHERE CreatedDate = TODAY", "SELECT Id FROM Order LIMIT x",
        "SELECT Nope FROM Account", "SELECT Id FROM Nothing", "SELECT BillingAddress FROM Account")  # fmt: skip
BROKEN = (b"[" * 5000, b'{"Name": NaN}', b'{"Name": "\\ud800"}', b"1" * 5000, b'{"Fax": 1e999}', b"\xff", b"{", b"[]")
TEXTS = ("Maria", "104882", "café ☕", "a/b c", "", " ", "x" * 300, "\x00", "\U0010ffff", "../..", "%", "'", "ref-1")
SCALARS = (None, True, False, 0, -1, 10**20, 0.5, 1e300, "@{a.id}", "a@b.jp", "NaN", "Draft", *MOMENTS, *TEXTS)
VERSIONS = ("v66.0",) * 40 + ("v59.0", "v31.0", "v20.0", "v99.0", "66.0", "v6", "latest")
PARAMETERS = ("fields", "start", "end", "q", "ids", "allOrNone", "limit", "updateOnly", "_HttpMethod", "x")
VALUES = ("PATCH", "GET", "true", "0", "Id,Name", "²", *MOMENTS, *SOQL, *TEXTS)
HEADERS: dict[str, tuple[str, ...]] = {
    "content-type": ("application/json; charset=UTF-8", "text/xml", "", "multipart/form-data; boundary=b"),
    "if-modified-since": HTTP_DATES,
    "if-unmodified-since": HTTP_DATES,
    "if-match": ('"x"', "*", "W/,"),
    "if-none-match": ('"x"', "*"),
    "content-encoding": ("gzip", "deflate", "br", "identity"),
    "content-length": ("x", "-1", "7"),
    "accept": ("application/xml", "application/json", "*/*", ""),
    "sforce-query-options": ("batchSize=200", "batchSize=x"),
    "sforce-call-options": ("client=fuzz", "client", ";;;"),
    "sforce-duplicate-rule-header": ("allowSave=true", "allowSave", ";=;"),
    "sforce-mru": ("updateMru=true",),
    "authorization": ("Bearer nothing", "Basic x", ""),
}


@dataclass(frozen=True)
class Request:
    """One request below `/services/data/`."""

    method: str
    path: tuple[str, ...]
    version: str
    params: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body: bytes | None

    @property
    def url(self) -> str:
        path = "/".join(quote(each, safe="") for each in self.path)
        return f"/services/data/{self.version}/{path}?{urlencode(self.params)}"


class Requests:
    """Makes requests from a source of chance."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def one(self) -> Request:
        shapes: tuple[Callable[[], Shape], ...] = (self._row, self._row, self._row, self._several, self._other)
        method, path, value = self._pick(shapes)()
        headers = [(name, self._pick(HEADERS[name])) for name in self._some(tuple(HEADERS), 2) if self._now_and_then(3)]
        body = None if value is None else json.dumps(value).encode()
        if self._now_and_then(20):
            body = self._pick(BROKEN)
        if body and self._now_and_then(10):
            body, headers = gzip.compress(body), [*headers, ("content-encoding", "gzip")]
        return Request(method, path, self._pick(VERSIONS), self._params(path), tuple(headers), body)

    def _pick(self, choices: Sequence[T]) -> T:
        return self._chance.choice(choices)

    def _some(self, choices: Sequence[T], most: int) -> list[T]:
        return self._chance.sample(choices, min(self._chance.randint(0, most), len(choices)))

    def _now_and_then(self, every: int) -> bool:
        return self._chance.randrange(every) == 0

    def _params(self, path: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """What the resource would want to be told, and something else now and then."""
        extra = [(self._pick(PARAMETERS), self._pick(VALUES)) for _ in range(2) if self._now_and_then(5)]
        if path[-1:] in (("updated",), ("deleted",)):
            return (("start", self._pick(MOMENTS)), ("end", self._pick(MOMENTS)), *extra)
        return (("q", self._pick(SOQL)), *extra) if path[:1] in (("query",), ("queryAll",)) else tuple(extra)

    def _anything(self) -> Any:
        inner = self._pick(SCALARS)
        return self._pick((inner, inner, [inner], {"Id": inner}, {"records": [inner]}))

    def _id(self, *names: str) -> str:
        """An id of one of these types: of one of the first records or of none, short, or with a wrong suffix."""
        whole = ids.make(SCHEMA[self._pick(names)].prefix, self._pick((1, 1, 2, 99)))
        return self._pick((whole, whole, whole, whole[:15], f"{whole[:17]}5"))

    def _fitting(self, field: Field) -> Any:
        """A value the field would take."""
        if field.references:
            return self._id(*field.references)
        if field.values:
            return self._pick(field.values)
        kinds: dict[str, tuple[Any, ...]] = {
            "boolean": (True, False),
            "date": ("2026-11-21", MOMENTS[0]),
            "datetime": MOMENTS[:3],
            "email": ("maria.santos@example.jp",),
            "base64": ("aGVsbG8=", "aGVsbG8="),
        }
        return self._pick((0, 1, 2.5, 4730, "7") if field.type in NUMBERS else kinds.get(field.type, TEXTS[:4]))

    def _record(self, sobject: SObject) -> dict[str, Any]:
        """A record of the type: what it needs as a rule, some of the rest, now and then something else."""
        known = {each.name: each for each in sobject.fields.values() if each.createable}
        references = [name for name, each in known.items() if each.references]
        names = [*sobject.required] if not self._now_and_then(6) else []
        names += [*self._some(tuple(known), 2), *self._some(references, 2)]
        record = {name: self._fitting(known[name]) for name in names if name in known}
        if record and self._now_and_then(4):
            record[self._pick(tuple(record))] = self._pick(SCALARS)
        if self._now_and_then(10):
            record[self._pick(("Id", "CreatedDate", "attributes", "Nope", "Owner", *TEXTS))] = self._anything()
        return record

    def _row(self) -> Shape:
        # Those whose saves touch other records come more often.
        name = self._pick((*TYPES, "Account", "OrderItem", "ContentVersion", "ContentVersion", "ContentVersion"))
        sobject, base = SCHEMA[name], ("sobjects", name)
        keys = [each.name for each in sobject.fields.values() if each.external_id] or ["Id"]
        related = [*sobject.fields, *(each.relationship for each in sobject.references), *sobject.children]
        below, keyed = (*base, self._id(name)), (*base, self._pick(keys), self._pick(TEXTS))
        return self._pick((
            ("POST", base, self._record(sobject)),
            ("POST", base, self._record(sobject)),
            ("PATCH", below, self._record(sobject)),
            (self._pick(("GET", "HEAD", "DELETE")), below, None),
            ("PATCH", keyed, self._record(sobject)),
            (self._pick(("GET", "DELETE")), keyed, None),
            ("GET", (*below, self._pick(related)), None),
            ("GET", (*base, self._pick(("describe", "updated", "deleted", "eventSchema"))), None),
        ))  # fmt: skip

    def _inner(self, prefix: str) -> dict[str, Any]:
        method, path, body = self._row()
        return {"method": method, "url": f"{prefix}v66.0/{'/'.join(path)}", **({} if body is None else {"body": body})}

    def _several(self) -> Shape:
        name, flag, many = self._pick(TYPES), self._pick((True, False, None, "yes")), range(self._chance.randint(0, 3))
        subs = [{**self._inner("/services/data/"), "referenceId": self._pick(("a", "b", "c", "-"))} for _ in many]
        rows = [{"attributes": {"type": name, "referenceId": "r1"}, **self._record(SCHEMA[name])} for _ in many]
        return self._pick((
            ("POST", ("composite",), {"compositeRequest": subs, "allOrNone": flag}),
            ("POST", ("composite", "batch"), {"batchRequests": [self._inner("") for _ in many], "haltOnError": flag}),
            ("POST", ("composite", "graph"), {"graphs": [{"graphId": "1", "compositeRequest": subs}]}),
            (self._pick(("POST", "PATCH")), ("composite", "sobjects"), {"records": rows, "allOrNone": flag}),
            ("POST", ("composite", "tree", name), {"records": rows}),
            ("POST", ("composite", "sobjects", name), {"ids": [self._id(name)], "fields": ["Id", "Name"]}),
        ))  # fmt: skip

    def _other(self) -> Shape:
        if self._now_and_then(2):
            path = self._pick((("query",), ("queryAll",), ("limits",), ("recent",), (), ("sobjects",), ("composite",)))
            return self._pick(("GET", "POST", "HEAD")), path, None
        method = self._pick(("GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS", "get", "BREW"))
        path = tuple(self._some((*WORDS, *TYPES, *TEXTS, self._id("Account")), 5))
        return method, path, self._pick((None, self._anything(), self._record(SCHEMA["Account"])))
