"""Up to 2,000 rows of one type read in one call (salesforce-wire.md, section 3.6)."""

from sandbox.salesforce import ids
from sandbox.salesforce.errors import ApiError, unreadable
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import sobjects
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.rest.envelopes import listed, properties
from sandbox.salesforce.rest.rows import limited

LIMIT = 2000


def retrieve(org: Org, call: Call, type_name: str) -> Answer:
    """GET composite/sobjects/{type}?ids=&fields=, or POST with both in the body; null for what is not there"""
    sobject = sobjects.stored_type(org, type_name)
    wanted, names = _in_body(call) if call.method == "POST" else _in_address(call)
    if not names:
        raise ApiError("MISSING_ARGUMENT", "fields not specified")
    fields = sobjects.named_fields(sobject, names)
    records = [org.get(sobject.name, ids.normalise(each) or "") for each in limited(wanted, LIMIT)]
    shown = [None if each is None else sobjects.row(call, sobject, each, fields) for each in records]
    return Answer(200, shown, detail={"records": len(records)})


def _in_address(call: Call) -> tuple[list[str], list[str]]:
    wanted, names = call.params.get("ids", ""), call.params.get("fields", "")
    return (
        [each.strip() for each in wanted.split(",") if each.strip()],
        [each.strip() for each in names.split(",") if each.strip()],
    )


def _in_body(call: Call) -> tuple[list[str], list[str]]:
    body = properties(call.body, ("ids", "fields"))
    for name in ("ids", "fields"):
        for each in listed(body, name):
            if not isinstance(each, str):
                raise unreadable("string", each)
    return listed(body, "ids"), listed(body, "fields")
