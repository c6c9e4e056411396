"""Whatever is sent to a call that holds others is answered, with the error's shape when it is refused."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.salesforce.conftest import BASE, Api

PLAIN = ["", "a", "r-1", "true", "Name", "Account", "contact", "OrderProvisionRequested__e", "Portal_Ref__c", "POST"]
REFERENCES = ["@{a.id}", "@{a", "@{a.records[0].Id}", "@{a[0][1]}", "@{}", "@{a.b}@{b.c}"]
WORDS = st.sampled_from([*PLAIN, *REFERENCES, "0015j0000000001AAA"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(), inner, max_size=3),
    max_leaves=6,
)
ROW_PATHS = ["Account", "Account/@{a.id}", "Account/Portal_Ref__c/@{a.Name}", "Account/Id", "Order/describe"]
MANY_PATHS = ["", "?ids=@{a.id},x", "/Account?ids=x&fields=Name", "/Account/Portal_Ref__c"]
OTHER_PATHS = ["", "../x", "limits", "composite", "composite/graph", "query", "queryAll/?q=x", "query/01g-5"]
QUERIES = ["query?q=SELECT+Id+FROM+Account+LIMIT+2", "query?q=@{a.id}"]
PATHS = (
    st.sampled_from(ROW_PATHS).map("sobjects/{}".format)
    | st.sampled_from(MANY_PATHS).map("composite/sobjects{}".format)
    | st.sampled_from([*OTHER_PATHS, *QUERIES])
)
URLS = PATHS.map(lambda path: f"{BASE}/{path}") | PATHS.map(lambda path: f"v66.0/{path}") | st.text() | VALUES


def some(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with these properties, any of which may be missing or of any kind."""
    return st.fixed_dictionaries({}, optional={name: part | part | part | VALUES for name, part in parts.items()})


def many(part: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(part, max_size=4)


ROWS = some(
    attributes=some(type=st.sampled_from(["Account", "Contact", "OrderProvisionRequested__e"]), referenceId=WORDS),
    Name=WORDS,
    LastName=WORDS,
    Portal_Ref__c=WORDS,
    Id=WORDS,
    Contacts=some(records=many(some(attributes=some(type=st.just("Contact"), referenceId=WORDS), LastName=WORDS))),
)
COLLECTION = some(allOrNone=st.booleans(), records=many(ROWS | VALUES), ids=many(WORDS), fields=many(WORDS))
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"])
PART = some(
    method=METHODS,
    url=URLS,
    referenceId=st.sampled_from("abcd"),
    httpHeaders=st.dictionaries(st.sampled_from(["If-Modified-Since", "Sforce-Query-Options", "X"]), WORDS, max_size=2),
    body=ROWS | COLLECTION,
)
COMPOSITE = some(allOrNone=st.booleans(), collateSubrequests=st.booleans(), compositeRequest=many(PART | VALUES))
BODIES = {
    "composite": COMPOSITE,
    "composite/graph": some(graphs=many(some(graphId=st.sampled_from("gh"), compositeRequest=many(PART)))),
    "composite/batch": some(
        haltOnError=st.booleans(), batchRequests=many(some(method=METHODS, url=URLS, richInput=ROWS))
    ),
    "composite/tree/Account": some(records=many(ROWS | VALUES)),
    "composite/sobjects": COLLECTION,
    "composite/sobjects/Account": COLLECTION,
    "composite/sobjects/Account/Portal_Ref__c": COLLECTION,
}
CALLS = st.sampled_from(sorted(BODIES)).flatmap(
    lambda path: st.tuples(st.just(path), st.sampled_from(["POST", "PATCH", "DELETE", "PUT"]), BODIES[path] | VALUES)
)


def held(api: Api) -> list[int]:
    return [len(api.world.org.table(kind)) for kind in ("Account", "Contact", "Order", "Case")]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=CALLS)
def test_anything_is_answered_and_what_is_refused_does_nothing(api: Api, call: tuple[str, str, Any]) -> None:
    path, method, body = call
    before = held(api)
    reply = api(method, path, body)
    assert reply.status in (200, 201, 400, 403, 404, 405), reply.text
    if reply.status >= 400:
        assert held(api) == before
        errors = reply.json()
        if isinstance(errors, list):
            assert [each.keys() >= {"message", "errorCode"} for each in errors] == [True]
        else:
            assert errors["hasErrors"] is True


PARTS = st.lists(PART, min_size=1, max_size=4)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=PARTS, all_or_none=st.booleans())
def test_every_part_of_a_composite_is_answered(api: Api, parts: list[dict[str, Any]], all_or_none: bool) -> None:
    subs = [
        {"method": "GET", **part, "url": str(part.get("url", BASE)), "referenceId": name}
        for part, name in zip(parts, "abcd", strict=False)
    ]
    reply = api("POST", "composite", {"allOrNone": all_or_none, "compositeRequest": subs})
    if reply.status == 200:
        answers = reply.json()["compositeResponse"]
        assert [each["referenceId"] for each in answers] == [each["referenceId"] for each in subs]
        assert all(each["httpStatusCode"] < 500 for each in answers)
    else:
        assert reply.json()[0]["errorCode"] in ("JSON_PARSER_ERROR", "INVALID_INPUT", "LIMIT_EXCEEDED")
