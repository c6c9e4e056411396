"""Files: how they are sent, what becomes of them, how they are fetched again."""

import base64
import hashlib
import json
from typing import Any

import pytest

from sandbox.salesforce import files
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.rest import bodies
from sandbox.salesforce.seed import AGENT_USERNAME
from tests.sandbox.salesforce.conftest import BASE, Api
from tests.sandbox.whmcs.asgi import Reply, send

PNG = b"\x89PNG not really"
MARK = "one-boundary"
Part = tuple[str, str, bytes]


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def multipart(api: Api, *parts: Part, kind: str = "ContentVersion", mark: str = MARK) -> Reply:
    """POST with these parts: the disposition's parameters, the media type (none when empty), the bytes."""
    body = b"".join(
        f"--{MARK}\r\nContent-Disposition: form-data; {name}\r\n".encode()
        + (f"Content-Type: {media}\r\n" if media else "").encode()
        + b"\r\n"
        + data
        + b"\r\n"
        for name, media, data in parts
    )
    headers = {"authorization": f"Bearer {api.token}", "content-type": f"multipart/form-data; boundary={mark}"}
    content = body + f"--{MARK}--\r\n".encode()
    return send(api.app, "POST", f"{BASE}/sobjects/{kind}", headers=headers, chunks=[content])


def record_part(name: str = "entity_content", media: str = "application/json", **fields: Any) -> Part:
    return f'name="{name}"', media, json.dumps(fields).encode()


def file_part(content: bytes = PNG, name: str = "VersionData") -> Part:
    return f'name="{name}"; filename="passport.png"', "image/png", content


def version(api: Api, record_id: str) -> dict[str, Any]:
    found: dict[str, Any] = api("GET", f"sobjects/ContentVersion/{record_id}").json()
    return found


@pytest.mark.parametrize("sent_as", ["JSON", "multipart", "multipart without media types"])
def test_a_file_becomes_version_document_and_links(api: Api, maria: str, sent_as: str) -> None:
    fields = {"PathOnClient": "passport.PNG", "Title": "doc-uuid", "FirstPublishLocationId": maria}
    if sent_as == "JSON":
        made = api.create("ContentVersion", **fields, VersionData=encoded(PNG))
    else:
        media = "application/json" if sent_as == "multipart" else ""
        reply = multipart(api, record_part(media=media, **fields), file_part())
        assert reply.status == 201, reply.text
        made = reply.json()["id"]
    row = version(api, made)
    assert (row["ContentSize"], row["FileType"], row["FileExtension"]) == (len(PNG), "PNG", "png")
    assert row["Checksum"] == hashlib.md5(PNG).hexdigest()
    assert (row["VersionNumber"], row["IsLatest"], row["Origin"]) == ("1", True, "C")
    document = api("GET", f"sobjects/ContentDocument/{row['ContentDocumentId']}").json()
    assert (document["Title"], document["LatestPublishedVersionId"]) == ("doc-uuid", made)
    links = api("GET", f"sobjects/ContentDocument/{document['Id']}/ContentDocumentLinks").json()["records"]
    assert {(each["LinkedEntityId"], each["ShareType"]) for each in links} == {(row["OwnerId"], "I"), (maria, "V")}


def test_the_bytes_are_not_in_the_row(api: Api) -> None:
    made = api.create("ContentVersion", PathOnClient="a.png", VersionData=encoded(PNG))
    assert version(api, made)["VersionData"] == f"{BASE}/sobjects/ContentVersion/{made}/VersionData"
    assert api.world.org.existing("ContentVersion", made)["VersionData"] == len(PNG)
    fetched = api("GET", f"sobjects/ContentVersion/{made}/VersionData")
    assert (fetched.body, fetched.headers["content-type"]) == (PNG, "image/png")
    bare = api.create("ContentVersion", PathOnClient="noname", VersionData=encoded(b"x"))
    fetched = api("GET", f"sobjects/ContentVersion/{bare}/versiondata")
    assert (fetched.body, fetched.headers["content-type"]) == (b"x", "application/octet-stream")


def test_a_document_has_versions(api: Api, maria: str) -> None:
    first = api.create("ContentVersion", PathOnClient="bill.pdf", VersionData=encoded(b"one"))
    document = version(api, first)["ContentDocumentId"]
    second = api.create(
        "ContentVersion", PathOnClient="bill2.pdf", VersionData=encoded(b"two"), ContentDocumentId=document
    )
    assert [version(api, each)["IsLatest"] for each in (first, second)] == [False, True]
    assert version(api, second)["VersionNumber"] == "2"
    shown = api("GET", f"sobjects/ContentDocument/{document}").json()
    assert (shown["LatestPublishedVersionId"], shown["Title"]) == (second, "bill2")
    api.update("ContentVersion", second, Title="The bill")
    assert api("GET", f"sobjects/ContentDocument/{document}").json()["Title"] == "The bill"
    both = {"ContentDocumentId": document, "FirstPublishLocationId": maria}
    error = api.error("POST", "sobjects/ContentVersion", {"PathOnClient": "x", "VersionData": encoded(b"3"), **both})
    assert (error["errorCode"], error["fields"]) == ("FIELD_INTEGRITY_EXCEPTION", ["FirstPublishLocationId"])


def test_a_document_is_linked_to_a_record_once_and_goes_with_its_versions(api: Api, maria: str) -> None:
    made = api.create("ContentVersion", PathOnClient="a.png", VersionData=encoded(PNG), FirstPublishLocationId=maria)
    document = version(api, made)["ContentDocumentId"]
    again = {"ContentDocumentId": document, "LinkedEntityId": maria, "ShareType": "V"}
    assert api.error("POST", "sobjects/ContentDocumentLink", again)["errorCode"] == "DUPLICATE_VALUE"
    assert api.error("DELETE", f"sobjects/ContentVersion/{made}")["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
    assert api("DELETE", f"sobjects/ContentDocument/{document}").status == 204
    for path in (f"ContentVersion/{made}", f"ContentVersion/{made}/VersionData"):
        assert api.error("GET", f"sobjects/{path}")["errorCode"] == "ENTITY_IS_DELETED"
    assert api("GET", f"sobjects/Account/{maria}/ContentDocumentLinks").json()["records"] == []


def test_a_document_is_only_made_by_its_first_version(api: Api) -> None:
    error = api.error("POST", "sobjects/ContentDocument", {"Title": "x"})
    assert error["errorCode"] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"


BAD_PARTS: list[tuple[list[Part], str]] = [
    ([file_part()], "Multipart message must include a non-binary part"),
    ([record_part(), record_part("again")], "Cannot include more than one non-binary part"),
    ([record_part(), file_part(), file_part(name="Other")], "Cannot include more than one binary part"),
    ([('name="entity_content"', "application/json", b"[1]"), file_part()], "The non-binary part is no record"),
]


@pytest.mark.parametrize(("parts", "message"), BAD_PARTS)
def test_bad_multipart_messages(api: Api, parts: list[Part], message: str) -> None:
    reply = multipart(api, *parts)
    assert (reply.status, reply.json()) == (400, [{"message": message, "errorCode": "INVALID_MULTIPART_REQUEST"}])


def test_multipart_that_cannot_be_read(api: Api) -> None:
    wrong_mark = multipart(api, record_part(), file_part(), mark="another")
    assert (wrong_mark.status, wrong_mark.json()[0]["errorCode"]) == (400, "INVALID_MULTIPART_REQUEST")
    broken = multipart(api, ('name="entity_content"', "application/json", b"{"), file_part())
    assert broken.json()[0]["errorCode"] == "JSON_PARSER_ERROR"
    unknown = multipart(api, record_part(PathOnClient="a"), file_part(name="Nope"))
    assert unknown.json()[0]["message"] == "No such column 'Nope' on sobject of type ContentVersion"


def test_files_have_a_largest_size(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LARGEST_UPLOAD", 10)
    headers = {
        "authorization": f"Bearer {api.token}",
        "content-type": f"multipart/form-data; boundary={MARK}",
        "content-length": "11",
    }
    reply = send(api.app, "POST", f"{BASE}/sobjects/ContentVersion", headers=headers, chunks=[b"x" * 11])
    assert (reply.status, reply.json()[0]["errorCode"]) == (413, "EXCEEDED_MAX_SIZE_REQUEST")


GOOD = {"PathOnClient": "a.png", "VersionData": encoded(PNG)}
WRONG_VERSIONS: list[tuple[dict[str, Any], str]] = [
    ({"VersionData": encoded(PNG)}, "REQUIRED_FIELD_MISSING"),
    ({"PathOnClient": "a.png"}, "REQUIRED_FIELD_MISSING"),
    ({**GOOD, "VersionData": "not base64!"}, "JSON_PARSER_ERROR"),
    ({**GOOD, "ContentDocumentId": "0695j0000009999"}, "INVALID_CROSS_REFERENCE_KEY"),
    ({**GOOD, "FirstPublishLocationId": "01s5j0000000001AAA"}, "FIELD_INTEGRITY_EXCEPTION"),
    ({**GOOD, "Origin": "X"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
]


@pytest.mark.parametrize(("fields", "code"), WRONG_VERSIONS)
def test_refused_files_leave_nothing(api: Api, fields: dict[str, Any], code: str) -> None:
    assert api.error("POST", "sobjects/ContentVersion", fields)["errorCode"] == code
    for kind in ("ContentVersion", "ContentDocument", "ContentDocumentLink"):
        assert len(api.world.org.table(kind)) == 0


def test_a_refused_file_leaves_nothing_even_within_the_org(api: Api) -> None:
    org = api.world.org
    with pytest.raises(ApiError):
        org.create(
            "ContentVersion", {**GOOD, "FirstPublishLocationId": "0015j0000009999"}, org.user_named(AGENT_USERNAME)
        )
    assert len(org.table("ContentDocument")) == 0


def test_attachments(api: Api, maria: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"ParentId": maria, "Name": "note.txt", "ContentType": "text/plain"}
    made = api.create("Attachment", **fields, Body=encoded(b"hello"))
    assert api("GET", f"sobjects/Attachment/{made}").json()["BodyLength"] == 5
    fetched = api("GET", f"sobjects/Attachment/{made}/Body")
    assert (fetched.body, fetched.headers["content-type"]) == (b"hello", "text/plain")
    odd = api.create("Attachment", **{**fields, "ContentType": "テキスト\r\nX: y"}, Body=encoded(b"x"))
    assert api("GET", f"sobjects/Attachment/{odd}/Body").headers["content-type"] == "application/octet-stream"
    monkeypatch.setattr(files, "LARGEST_ATTACHMENT", 4)
    assert (
        api.error("POST", "sobjects/Attachment", {**fields, "Body": encoded(b"hello")})["errorCode"]
        == "STRING_TOO_LONG"
    )


def test_what_files_take_up_is_told(api: Api) -> None:
    before = api.world.org.contents.size
    made = api.create("ContentVersion", PathOnClient="a.bin", VersionData=encoded(b"x" * 3_000_000))
    assert api.world.org.contents.size - before == 3_000_000
    storage = api("GET", "limits").json()["FileStorageMB"]
    assert storage["Max"] - storage["Remaining"] == 2
    assert len(api("GET", f"sobjects/ContentVersion/{made}/VersionData").body) == 3_000_000
