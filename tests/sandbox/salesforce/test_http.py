"""HTTP around the REST API: versions, formats, methods, bodies and headers."""

import asyncio
import gzip
import json
import zlib
from typing import Any

import pytest
from starlette.types import Message, Receive, Send

from sandbox.salesforce.rest import bodies
from tests.sandbox.salesforce.conftest import BASE, Api
from tests.sandbox.whmcs.asgi import Reply, send

JSON = "application/json"


def raw(api: Api, method: str, path: str, body: bytes, **headers: str) -> Reply:
    sent = {"authorization": f"Bearer {api.token}", "content-type": JSON}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return send(api.app, method, f"{BASE}/{path}", headers=sent, chunks=[body])


def code(reply: Reply) -> tuple[int, str]:
    (error,) = reply.json()
    return reply.status, error["errorCode"]


def test_the_list_of_versions_needs_no_session(api: Api) -> None:
    api.token = ""
    listed = api("GET", "/services/data")
    assert listed.json() == api("GET", "/services/data/").json()
    assert "sforce-limit-info" not in listed.headers
    assert (listed.json()[0]["version"], listed.json()[-1]) == (
        "31.0",
        {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"},
    )


def test_each_version_lists_what_it_has(api: Api) -> None:
    old, new = (api("GET", f"/services/data/v{version}.0").json() for version in (31, 66))
    assert "composite" not in old
    assert new["composite"] == f"{BASE}/composite"
    assert new["recent"] == f"{BASE}/recent"
    assert new["identity"].endswith(api.world.org.user_named("portal.integration@sonixnet.example"))


def test_versions_that_were_and_never_were(api: Api) -> None:
    gone = api.error("GET", "/services/data/v30.0/limits")
    assert (gone["status"], gone["errorCode"]) == (410, "UNSUPPORTED_API_VERSION")
    assert "(30.0) is below the minimum supported (31.0)" in gone["message"]
    for version in ("v69.0", "v66", "v66.5", "66.0", "v066.0", "latest", "v6.0"):
        assert api.error("GET", f"/services/data/{version}/limits")["errorCode"] == "NOT_FOUND"


def test_a_path_may_end_in_its_format(api: Api, maria: str) -> None:
    assert api("GET", f"sobjects/Account/{maria}.json").json()["Id"] == maria
    api.create("Account", Name="Dotted", Portal_Ref__c="ref.json")
    assert api("GET", "sobjects/Account/Portal_Ref__c/ref.json").json()["Name"] == "Dotted"


def test_xml_is_refused(api: Api) -> None:
    for path, headers in (("limits", {"Accept": "application/xml"}), ("sobjects/Account.xml", {})):
        assert code(api("GET", path, headers=headers)) == (406, "NOT_ACCEPTABLE")
    both = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert api("GET", "limits", headers={"Accept": both}).status == 200
    assert code(raw(api, "POST", "sobjects/Account", b"<Account/>", content_type="application/xml")) == (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    )


def test_methods(api: Api, maria: str) -> None:
    row = f"sobjects/Account/{maria}"
    assert api("POST", f"{row}?_HttpMethod=PATCH", {"Fax": "7"}).status == 204
    assert api("GET", row).json()["Fax"] == "7"
    head = api("HEAD", row)
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) == len(api("GET", row).body)
    assert api("HEAD", "sobjects/Account/0015j0000009999").status == 404
    for method, path, allowed in (
        ("PATCH", "sobjects/Account", "HEAD,GET,POST"),
        ("POST", row, "HEAD,GET,PATCH,DELETE"),
        ("DELETE", "limits", "HEAD,GET"),
        ("PATCH", "sobjects/Account/describe", "HEAD,GET"),
        ("BREW", "limits", "HEAD,GET"),
    ):
        error = api.error(method, path, {} if method == "POST" else None)
        assert (error["status"], error["errorCode"]) == (405, "METHOD_NOT_ALLOWED")
        assert error["message"] == f"HTTP Method '{method}' not allowed. Allowed are {allowed}"


def test_answers_are_packed_for_those_who_can_unpack_them(api: Api) -> None:
    packed = api("GET", "sobjects", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.body)) == api("GET", "sobjects").json()


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)]
)
def test_requests_may_be_packed(api: Api, encoding: str, pack: object) -> None:
    assert callable(pack)
    body = pack(json.dumps({"Name": f"Packed by {encoding}"}).encode())
    made = raw(api, "POST", "sobjects/Account", body, content_encoding=encoding)
    assert made.status == 201
    assert api("GET", f"sobjects/Account/{made.json()['id']}").json()["Name"] == f"Packed by {encoding}"


def test_badly_packed_requests(api: Api) -> None:
    assert code(raw(api, "POST", "sobjects/Account", b"{}", content_encoding="gzip")) == (400, "JSON_PARSER_ERROR")
    assert code(raw(api, "POST", "sobjects/Account", b"{}", content_encoding="br")) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_body_has_a_largest_size_packed_or_not(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LARGEST_TEXT", 1000)
    long = json.dumps({"Name": "x" * 2000}).encode()
    for body, encoding in ((long, "identity"), (gzip.compress(long), "gzip")):
        reply = raw(api, "POST", "sobjects/Account", body, content_encoding=encoding)
        assert code(reply) == (413, "EXCEEDED_MAX_SIZE_REQUEST")
        assert "1000 bytes" in reply.json()[0]["message"]


QUOTES = "expecting property name enclosed in double quotes"
BAD_JSON = {
    b"{broken": f"Unexpected character ('b' (code 98)): {QUOTES} at [line:1, column:2]",
    b'{"Name":': "Unexpected end-of-input at [line:1, column:9]",
    b'{"Name": NaN}': "Invalid UTF-8 or number in the request body",
    b'{"Name": "\\ud800"}': "Invalid UTF-8 or number in the request body",
    b'{"Name": "\xff"}': "Invalid UTF-8 or number in the request body",
    b"[" * 100_000: "The request body is nested more than 100 levels deep",
    b'{"a":' * 150 + b"1" + b"}" * 150: "The request body is nested more than 100 levels deep",
}  # fmt: skip


@pytest.mark.parametrize("body", BAD_JSON, ids=range(len(BAD_JSON)))
def test_what_is_no_json(api: Api, body: bytes) -> None:
    reply = raw(api, "POST", "sobjects/Account", body)
    assert (reply.status, reply.json()) == (400, [{"message": BAD_JSON[body], "errorCode": "JSON_PARSER_ERROR"}])


def test_a_body_where_there_has_to_be_one(api: Api, maria: str) -> None:
    none_of_them: list[Any] = [None, [], "text"]
    for body in none_of_them:
        error = api.error("PATCH", f"sobjects/Account/{maria}", body)
        assert (error["status"], error["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_every_counted_answer_tells_the_use_of_the_day(api: Api) -> None:
    uses = [api("GET", path).headers["sforce-limit-info"] for path in ("limits", "nowhere", "limits")]
    assert [int(each.split("=")[1].split("/")[0]) for each in uses] == [1, 2, 3]
    limits = api("GET", "limits").json()["DailyApiRequests"]
    assert limits["Max"] - limits["Remaining"] == 4


def test_an_address_has_a_longest_length(api: Api) -> None:
    assert code(api("GET", f"query?q={'x' * 17_000}")) == (414, "URI_TOO_LONG")


def test_a_mistake_of_the_sandbox_looks_like_one_of_salesforce(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Message] = []

    async def collect(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(api.world.org.sessions, "find", broken)
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"{BASE}/limits",
        "raw_path": b"",
        "query_string": b"",
        "headers": [],
    }
    with pytest.raises(ZeroDivisionError):  # it goes on to the server's log, after the answer
        asyncio.run(run(api, scope, receive, collect))
    start, content = sent
    assert start["status"] == 500
    assert [each["errorCode"] for each in json.loads(content["body"])] == ["UNKNOWN_EXCEPTION"]


async def run(api: Api, scope: dict[str, Any], receive: Receive, send: Send) -> None:
    await api.app(scope, receive, send)
