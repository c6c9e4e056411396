"""Files: a version makes or continues its document, and is linked where it was published (salesforce-wire.md 3.9)."""

import base64
import hashlib
from pathlib import PurePosixPath

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.saving import Saving

_LARGEST = 37_500_000


def complete_version(version: Saving) -> None:
    """Derive what a file's bytes and name tell, and make the document of a first version."""
    record = version.record
    if not version.creating or not record.get("VersionData") or not record.get("PathOnClient"):
        return
    content = base64.b64decode(record["VersionData"])
    if len(content) > _LARGEST:
        raise ApiError("STRING_TOO_LONG", "Version Data: data value too large", ["VersionData"])
    path = PurePosixPath(record["PathOnClient"])
    extension = path.suffix.removeprefix(".").lower()
    record |= {
        "Title": record.get("Title") or path.stem,
        "ContentSize": len(content),
        "Checksum": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "FileExtension": extension or None,
        "FileType": extension.upper() or "UNKNOWN",
        "IsLatest": True,
        "VersionNumber": str(_earlier(version) + 1),
    }
    _give_document(version)


def publish_version(version: Saving) -> None:
    """The newest version is its document's latest; a first one is linked to its owner and its location."""
    record, org = version.record, version.org
    if not version.creating:
        return
    document_id = record["ContentDocumentId"]
    for each in org.find("ContentVersion", "ContentDocumentId", document_id):
        if each["Id"] != record["Id"] and each["IsLatest"]:
            org.derive("ContentVersion", each["Id"], {"IsLatest": False})
    shared = ("Title", "FileExtension", "FileType", "ContentSize")
    org.derive(
        "ContentDocument",
        document_id,
        {"LatestPublishedVersionId": record["Id"], **{name: record[name] for name in shared}},
    )
    if record["VersionNumber"] == "1":
        _link(version, version.user_id, "I")
    if record.get("FirstPublishLocationId"):
        _link(version, record["FirstPublishLocationId"], "V")


def refuse_second_link(link: Saving) -> None:
    """A document is linked to a record once."""
    record = link.record
    for each in link.org.find("ContentDocumentLink", "ContentDocumentId", record.get("ContentDocumentId")):
        if each["LinkedEntityId"] == record.get("LinkedEntityId") and each["Id"] != record["Id"]:
            message = f"document already linked with the entity: {each['Id'][:15]}"
            raise ApiError("DUPLICATE_VALUE", message, ["LinkedEntityId"])


def _earlier(version: Saving) -> int:
    document_id = version.record.get("ContentDocumentId")
    return len(version.org.find("ContentVersion", "ContentDocumentId", document_id)) if document_id else 0


def _give_document(version: Saving) -> None:
    record, org = version.record, version.org
    if record.get("ContentDocumentId") is None:
        title = {"Title": record["Title"], "FileExtension": record["FileExtension"]}
        record["ContentDocumentId"] = org.insert(org.schema["ContentDocument"], title, version.user_id)
    elif record.get("FirstPublishLocationId"):
        message = "FirstPublishLocationId must be null when ContentDocumentId is given"
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", message, ["FirstPublishLocationId"])


def _link(version: Saving, entity_id: str, share: str) -> None:
    fields = {
        "ContentDocumentId": version.record["ContentDocumentId"],
        "LinkedEntityId": entity_id,
        "ShareType": share,
        "Visibility": "InternalUsers",
    }
    version.org.insert(version.org.schema["ContentDocumentLink"], fields, version.user_id)
