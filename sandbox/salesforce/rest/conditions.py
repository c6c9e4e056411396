"""Conditional requests: by time for rows and describes, by entity tag for accounts (salesforce-wire.md, 3.8)."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from sandbox.salesforce import moments
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.schema import SObject
from sandbox.store import Record


def refusal(call: Call, sobject: SObject, record: Record) -> Answer | None:
    """412 when the caller's condition on the record does not hold, 304 when it needs no copy of it, else None.

    Raises ApiError for a date that is none.
    """
    modified = moments.parse(record["LastModifiedDate"])
    reading = call.method in ("GET", "HEAD")
    unmodified_since = _date(call, "if-unmodified-since")
    if unmodified_since and modified > unmodified_since:
        return Answer(412, key=record["Id"])
    if forbidden := refusal_by_tag(call, sobject, record):
        return forbidden
    if reading and (unchanged(call, modified) or _known_by_tag(call, sobject, record)):
        return Answer(304, key=record["Id"])
    return None


def refusal_by_tag(call: Call, sobject: SObject, record: Record) -> Answer | None:
    """412 when the record is another version than the one the caller means."""
    wanted = _tags(call.headers, "if-match") if sobject.etag else None
    return Answer(412, key=record["Id"]) if wanted is not None and not wanted & {_tag(record), "*"} else None


def unchanged(call: Call, modified: datetime) -> bool:
    """Whether the caller has what was modified then already. Raises ApiError for a date that is none."""
    since = _date(call, "if-modified-since")
    return since is not None and modified <= since


def validators(sobject: SObject, record: Record) -> dict[str, str]:
    """The headers by which a later request can ask whether the record is still the same."""
    headers = last_modified(moments.parse(record["LastModifiedDate"]))
    return headers | ({"ETag": _tag(record)} if sobject.etag else {})


def last_modified(moment: datetime) -> dict[str, str]:
    """The header that tells since when something is as it is."""
    return {"Last-Modified": format_datetime(moment.astimezone(UTC), usegmt=True)}


def _known_by_tag(call: Call, sobject: SObject, record: Record) -> bool:
    known = _tags(call.headers, "if-none-match") if sobject.etag else None
    return known is not None and bool(known & {_tag(record), "*"})


def _tags(headers: Mapping[str, str], name: str) -> set[str] | None:
    if name not in headers:
        return None
    return {each.strip().removeprefix("W/") for each in headers[name].split(",")}


def _tag(record: Record) -> str:
    return f'"{hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:32]}"'


def _date(call: Call, header: str) -> datetime | None:
    text = call.headers.get(header)
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise ApiError("INVALID_HEADER", f"{header} is not a valid date: {text}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
