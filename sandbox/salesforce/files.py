"""Files: a version makes or continues its document, and is linked where it was published (salesforce-wire.md 3.9)."""

import base64
import hashlib
from pathlib import PurePosixPath

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.saving import Saving

LARGEST_ATTACHMENT = 25 * 1024 * 1024
_PUBLISHED = "P"
_SHARED = ("Title", "FileExtension", "FileType", "ContentSize", "PublishStatus")


def complete_version(version: Saving) -> None:
    """Derive what a file's bytes and name tell, and make the document of a first version."""
    record = version.record
    if not version.creating or not record.get("VersionData") or not record.get("PathOnClient"):
        return
    content = base64.b64decode(record["VersionData"])
    path = PurePosixPath(record["PathOnClient"].replace("\\", "/"))
    extension = path.suffix.removeprefix(".").lower()[:40]
    record |= {
        "Title": record.get("Title") or path.stem[:255] or record["PathOnClient"][:255],
        "ContentSize": len(content),
        "Checksum": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "FileExtension": extension or None,
        "FileType": extension.upper()[:20] or "UNKNOWN",
        "IsLatest": True,
        "PublishStatus": _PUBLISHED,
        "VersionNumber": str(_earlier(version) + 1),
    }
    _give_document(version)


def publish_version(version: Saving) -> None:
    """The newest version is its document's latest; a first one is linked to its owner and its location."""
    record, org = version.record, version.org
    if not version.creating:
        if version.changed("Title") and record["IsLatest"]:
            org.derive("ContentDocument", record["ContentDocumentId"], {"Title": record["Title"]})
        return
    document_id = record["ContentDocumentId"]
    for each in org.find("ContentVersion", "ContentDocumentId", document_id):
        if each["Id"] != record["Id"] and each["IsLatest"]:
            org.derive("ContentVersion", each["Id"], {"IsLatest": False})
    shown = {"LatestPublishedVersionId": record["Id"], **{name: record[name] for name in _SHARED}}
    org.derive("ContentDocument", document_id, shown)
    if record["VersionNumber"] == "1":
        _link(version, record["OwnerId"], "I")
    if record.get("FirstPublishLocationId") not in (None, record["OwnerId"]):
        _link(version, record["FirstPublishLocationId"], "V")


def refuse_second_link(link: Saving) -> None:
    """A document is linked to a record once."""
    record = link.record
    for each in link.org.find("ContentDocumentLink", "ContentDocumentId", record.get("ContentDocumentId")):
        if each["LinkedEntityId"] == record.get("LinkedEntityId") and each["Id"] != record["Id"]:
            message = f"document already linked with the entity: {each['Id'][:15]}"
            raise ApiError("DUPLICATE_VALUE", message, ["LinkedEntityId"])


def complete_attachment(attachment: Saving) -> None:
    """Count the bytes, of which an attachment can have fewer than a file."""
    body = attachment.record.get("Body")
    if not isinstance(body, str):
        return
    size = len(base64.b64decode(body))
    if size > LARGEST_ATTACHMENT:
        message = f"Body: data value too large: (max length={LARGEST_ATTACHMENT})"
        raise ApiError("STRING_TOO_LONG", message, ["Body"])
    attachment.record["BodyLength"] = size


def _earlier(version: Saving) -> int:
    document_id = version.record.get("ContentDocumentId")
    return version.org.table("ContentVersion").count("ContentDocumentId", document_id) if document_id else 0


def _give_document(version: Saving) -> None:
    record, org = version.record, version.org
    if record.get("ContentDocumentId") is None:
        title = {"Title": record["Title"], "FileExtension": record["FileExtension"], "OwnerId": record["OwnerId"]}
        record["ContentDocumentId"] = org.insert(org.schema["ContentDocument"], title, version.user_id)
    elif record.get("FirstPublishLocationId"):
        message = "FirstPublishLocationId must be null when ContentDocumentId is given"
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", message, ["FirstPublishLocationId"])


def _link(version: Saving, entity_id: str, share: str) -> None:
    fields = {
        "ContentDocumentId": version.record["ContentDocumentId"],
        "LinkedEntityId": entity_id,
        "ShareType": share,
        "Visibility": "AllUsers" if share == "I" else "InternalUsers",
    }
    version.org.insert(version.org.schema["ContentDocumentLink"], fields, version.user_id)
