"""Recently used records: those a caller created or read while it asked to remember them (header `Sforce-Mru`)."""

import re
from typing import Any

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.soql.answer import record_url
from sandbox.store import Record

_MOST = 200
_ITEMS = 20
_TABLE = "recently used"
_UPDATE = re.compile(r"\bupdateMru\s*=\s*true\b", re.IGNORECASE)


def note(org: Org, call: Call, sobject: SObject, record_id: str) -> None:
    """Put the record first among those of the user, if the call asks for that."""
    if not sobject.mru or not _UPDATE.search(call.headers.get("sforce-mru", "")):
        return
    known = [each for each in _ids(org, call.user_id) if each != record_id]
    org.store.table(_TABLE).put(call.user_id, {"ids": [record_id, *known][:_MOST]})


def recent(org: Org, call: Call) -> Answer:
    """GET recent?limit="""
    limit = call.params.get("limit", str(_MOST))
    if not limit.isascii() or not limit.isdecimal() or not 1 <= int(limit[:9]) <= _MOST:
        raise ApiError("INVALID_QUERY_SCOPE", f"Limit must be a number from 1 to {_MOST}: {limit}")
    found = [_shown(call, sobject, record) for sobject, record in _records(org, call)]
    return Answer(200, found[: int(limit)])


def of_type(org: Org, call: Call, sobject: SObject) -> list[dict[str, Any]]:
    """The records of one type among them, as the basic information on the type shows them."""
    return [_shown(call, each, record) for each, record in _records(org, call) if each is sobject][:_ITEMS]


def _records(org: Org, call: Call) -> list[tuple[SObject, Record]]:
    kinds = [(org.schema.of_id(each), each) for each in _ids(org, call.user_id)]
    found = [(kind, org.get(kind.name, each)) for kind, each in kinds if kind]
    return [(kind, record) for kind, record in found if record is not None]


def _ids(org: Org, user_id: str) -> list[str]:
    kept = org.store.table(_TABLE).get(user_id)
    return list(kept["ids"]) if kept else []


def _shown(call: Call, sobject: SObject, record: Record) -> dict[str, Any]:
    name = sobject.name_field
    attributes = {"type": sobject.name, "url": record_url(call.base, sobject.name, record["Id"])}
    return {"attributes": attributes, "Id": record["Id"], **({name.name: record.get(name.name)} if name else {})}
