"""Requests to the REST API at random: most of them nearly right, some of them anything at all."""

import gzip
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from sandbox.salesforce import ids, schema_files
from sandbox.salesforce.schema import NUMBERS, Field, SObject

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
BROKEN = (
    b"[" * 5000,
    b'{"Name": NaN}',
    b'{"Name": "\\ud800"}',
    b"1" * 5000,
    b'{"AnnualRevenue": 1e999}',
    b"\xff",
    b"{",
)


@dataclass(frozen=True)
class Request:
    """One request below `/services/data/`."""

    method: str
    path: tuple[str, ...]
    version: str = "v66.0"
    params: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    @property
    def url(self) -> str:
        path = "/".join(quote(each, safe="") for each in self.path)
        return f"/services/data/{self.version}/{path}?{urlencode(self.params)}"


text = st.text(st.characters(codec="utf-8"), max_size=8)
scalars = st.one_of(
    st.sampled_from((None, True, 0, -1, 10**20, 0.5, 1e300, "", " ", "x" * 300, "@{a.id}", "NaN", "Draft", *MOMENTS)),
    text,
)
anything = st.one_of(
    scalars,
    st.lists(scalars, max_size=2),
    st.dictionaries(st.sampled_from(("Id", "Name", "records")), scalars, max_size=2),
)


def id_of(*names: str) -> st.SearchStrategy[str]:
    """An id of one of these types: of the first records, of none, in 15 characters, with a wrong suffix."""
    whole = st.builds(
        ids.make, st.sampled_from([SCHEMA[name].prefix for name in names]), st.sampled_from((1, 2, 3, 99))
    )
    return st.one_of(whole, whole, whole, whole.map(lambda each: each[:15]), whole.map(lambda each: f"{each[:17]}5"))


def fitting(field: Field) -> st.SearchStrategy[Any]:
    """A value the field would take."""
    if field.references:
        return id_of(*field.references)
    if field.type in NUMBERS:
        return st.sampled_from((0, 1, 2.5, 4730, "7"))
    if field.values:
        return st.sampled_from(field.values)
    kinds: dict[str, tuple[Any, ...]] = {
        "boolean": (True, False),
        "date": ("2026-11-21", MOMENTS[0]),
        "datetime": MOMENTS[:3],
        "email": ("maria.santos@example.jp",),
        "base64": ("aGVsbG8=", "aGVsbG8"),
    }
    return st.sampled_from(kinds.get(field.type, ("Maria", "104882", "café ☕", "a/b c")))


def record_of(sobject: SObject) -> st.SearchStrategy[dict[str, Any]]:
    """A record of the type: what it needs as a rule, some of the rest, now and then something else."""
    known = {each.name: each for each in sobject.fields.values() if each.createable}
    needed = {name: fitting(known[name]) for name in sobject.required if name in known}
    more = {
        name: st.one_of(fitting(each), fitting(each), scalars) for name, each in known.items() if name not in needed
    }
    few = st.lists(st.sampled_from(sorted(more)), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: more[name] for name in names})
    )
    odd = st.dictionaries(
        st.one_of(text, st.sampled_from(("Id", "CreatedDate", "attributes", "Nope", "Owner"))), anything, max_size=1
    )
    return st.builds(lambda *parts: {name: value for part in parts for name, value in part.items()},
                     st.one_of(st.fixed_dictionaries(needed), st.fixed_dictionaries(needed), st.just({})), few,
                     st.one_of(st.just({}), st.just({}), odd))  # fmt: skip


RECORDS = {name: record_of(SCHEMA[name]) for name in TYPES}
types = st.sampled_from(TYPES)
records = types.flatmap(lambda name: RECORDS[name])
typed = types.flatmap(
    lambda name: RECORDS[name].map(lambda body: {"attributes": {"type": name, "referenceId": "r1"}, **body})
)


def of_type(name: str) -> st.SearchStrategy[tuple[str, tuple[str, ...], Any]]:
    """Method, path and body of a call about rows of one type."""
    sobject = SCHEMA[name]
    keys = [each.name for each in sobject.fields.values() if each.external_id] or ["Id"]
    beside = [
        *sobject.fields,
        *(each.relationship for each in sobject.references),
        *(each.name for each in sobject.children.values()),
    ]
    one, key = id_of(name), st.sampled_from(keys)
    base, value = ("sobjects", name), st.one_of(text, st.sampled_from(("104882", "a/b c", "4711")))
    about = [(*base, word) for word in ("describe", "updated", "deleted")]
    below = one.map(lambda each: (*base, each))
    return st.one_of(
        st.tuples(st.just("POST"), st.just(base), RECORDS[name]),
        st.tuples(st.just("POST"), st.just(base), RECORDS[name]),
        st.tuples(st.just("PATCH"), below, RECORDS[name]),
        st.tuples(st.sampled_from(("GET", "HEAD", "DELETE")), below, st.none()),
        st.tuples(st.just("PATCH"), st.builds(lambda k, v: (*base, k, v), key, value), RECORDS[name]),
        st.tuples(st.sampled_from(("GET", "DELETE")), st.builds(lambda k, v: (*base, k, v), key, value), st.none()),
        st.tuples(st.just("GET"), st.builds(lambda i, n: (*base, i, n), one, st.sampled_from(beside)), st.none()),
        st.tuples(st.just("GET"), st.sampled_from(about), st.none()),
    )  # fmt: skip


rows = types.flatmap(of_type)
subrequests = st.builds(
    lambda row, name: {
        "method": row[0], "url": f"/services/data/v66.0/{'/'.join(row[1])}", "referenceId": name,
        **({} if row[2] is None else {"body": row[2]}),
    },
    rows, st.sampled_from(("a", "b", "c", "-")),
)  # fmt: skip
batches = rows.map(lambda row: {"method": row[0], "url": f"v66.0/{'/'.join(row[1])}", "richInput": row[2] or {}})
flags = st.sampled_from((True, False, None, "yes"))
several = st.one_of(
    st.tuples(st.just("POST"), st.just(("composite",)), st.builds(
        lambda subs, whole: {"compositeRequest": subs, "allOrNone": whole}, st.lists(subrequests, max_size=3), flags)),
    st.tuples(st.just("POST"), st.just(("composite", "batch")), st.builds(
        lambda subs, halt: {"batchRequests": subs, "haltOnError": halt}, st.lists(batches, max_size=3), flags)),
    st.tuples(st.just("POST"), st.just(("composite", "graph")), st.builds(
        lambda subs: {"graphs": [{"graphId": "1", "compositeRequest": subs}]}, st.lists(subrequests, max_size=2))),
    st.tuples(st.sampled_from(("POST", "PATCH")), st.just(("composite", "sobjects")), st.builds(
        lambda rows, whole: {"records": rows, "allOrNone": whole}, st.lists(typed, max_size=3), flags)),
    st.tuples(st.just("POST"), types.map(lambda name: ("composite", "tree", name)), st.builds(
        lambda rows: {"records": rows}, st.lists(typed, max_size=2))),
    st.tuples(st.sampled_from(("GET", "POST")), types.map(lambda name: ("composite", "sobjects", name)), st.builds(
        lambda wanted: {"ids": wanted, "fields": ["Id", "Name"]}, st.lists(id_of("Account", "Order"), max_size=2))),
)  # fmt: skip
elsewhere = st.tuples(
    st.sampled_from(("GET", "POST", "HEAD")),
    st.one_of(st.sampled_from((("query",), ("queryAll",), ("limits",), ("recent",), (), ("sobjects",), ("composite",))),
              text.map(lambda each: ("query", each))),
    st.none(),
)  # fmt: skip
nonsense = st.tuples(
    st.sampled_from(("GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS", "get", "BREW")),
    st.lists(st.one_of(st.sampled_from(WORDS + TYPES), id_of("Account"), text), max_size=5).map(tuple),
    st.one_of(st.none(), anything, records),
)
moments = st.sampled_from(MOMENTS)
named = st.tuples(
    st.sampled_from(("fields", "start", "end", "q", "ids", "allOrNone", "limit", "updateOnly", "_HttpMethod", "x")),
    st.one_of(text, st.sampled_from(("PATCH", "GET", "true", "0", "Id,Name", "²", *MOMENTS, *SOQL))),
)
params = st.one_of(
    st.just(()),
    st.just(()),
    st.lists(named, max_size=3).map(tuple),
    st.sampled_from(SOQL).map(lambda soql: (("q", soql),)),
    st.builds(lambda start, end: (("start", start), ("end", end)), moments, moments),
)
kinds = ("application/json; charset=UTF-8", "text/xml", "", "multipart/form-data", "multipart/form-data; boundary=b")
HEADERS: dict[str, tuple[str, ...]] = {
    "content-type": kinds,
    "if-modified-since": HTTP_DATES,
    "if-unmodified-since": HTTP_DATES,
    "if-match": ('"x"', "*", "W/,"),
    "if-none-match": ('"x"', "*"),
    "content-encoding": ("gzip", "deflate", "br", "identity"),
    "content-length": ("x", "-1", "7"),
    "accept": ("application/xml", "application/json", "*/*", ""),
    "sforce-query-options": ("batchSize=200", "batchSize=x"),
    "sforce-call-options": ("client=fuzz", "client", ";;;"),
    "sforce-mru": ("updateMru=true",),
    "authorization": ("Bearer nothing", "Basic x", ""),
}
header = st.sampled_from([(name, value) for name, values in HEADERS.items() for value in values])
headers = st.one_of(st.just(()), st.just(()), st.just(()), st.lists(header, max_size=2).map(tuple))
versions = st.sampled_from(("v66.0",) * 40 + ("v59.0", "v31.0", "v20.0", "v99.0", "66.0", "v6", "latest"))


def _body(value: Any, broken: bytes | None, zipped: bool) -> bytes | None:
    if broken is not None:
        return broken
    content = None if value is None else json.dumps(value).encode()
    return gzip.compress(content) if zipped and content else content


def _request(shape: tuple[str, tuple[str, ...], Any], version: str, *rest: Any) -> Request:
    query, sent, broken, zipped = rest
    sent = (*sent, ("content-encoding", "gzip")) if zipped else sent
    return Request(shape[0], shape[1], version, query, sent, _body(shape[2], broken, zipped))


requests = st.builds(
    _request,
    st.one_of(rows, rows, rows, several, elsewhere, nonsense),
    versions,
    params,
    headers,
    st.sampled_from((None,) * 60 + BROKEN),
    st.sampled_from((False,) * 8 + (True,)),
)
