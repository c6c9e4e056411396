"""Which records of a type changed, or were deleted, between two moments (salesforce-wire.md, section 3.5)."""

from datetime import datetime, timedelta

from sandbox.salesforce import moments
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.rest.sobjects import stored_type

_MINUTE = timedelta(minutes=1)
_LONGEST = timedelta(days=30)
# How long deleted records stay in the bin.
_KEPT = timedelta(days=15)


def updated(org: Org, call: Call, type_name: str) -> Answer:
    """GET sobjects/{type}/updated?start=&end=, to the minute"""
    sobject = stored_type(org, type_name)
    start, end = _window(org, call)
    found = org.table(sobject.name).between("SystemModstamp", moments.write(start), moments.write(end))
    return Answer(200, {"ids": [each["Id"] for each in found], "latestDateCovered": _covered(org, end)})


def deleted(org: Org, call: Call, type_name: str) -> Answer:
    """GET sobjects/{type}/deleted?start=&end=, to the minute"""
    sobject = stored_type(org, type_name)
    start, end = _window(org, call)
    earliest = org.clock.now() - _KEPT
    found = org.bin(sobject.name).between("SystemModstamp", moments.write(max(start, earliest)), moments.write(end))
    rows = [{"id": each["Id"], "deletedDate": each["SystemModstamp"]} for each in found]
    return Answer(
        200,
        {
            "deletedRecords": rows,
            "earliestDateAvailable": moments.write(earliest.replace(second=0)),
            "latestDateCovered": _covered(org, end),
        },
    )


def _window(org: Org, call: Call) -> tuple[datetime, datetime]:
    """From when until when, seconds left out. Raises ApiError."""
    start, end = (_moment(call, name) for name in ("start", "end"))
    if end - start < _MINUTE:
        raise _refusal("endDate must be at least one minute greater than startDate")
    if start < org.clock.now() - _LONGEST:
        raise _refusal("startDate cannot be more than 30 days ago")
    if start > org.clock.now():
        raise _refusal("startDate cannot be in the future")
    return start, end


def _moment(call: Call, name: str) -> datetime:
    text = call.params.get(name)
    if text is None:
        raise ApiError("MISSING_ARGUMENT", f"The parameter {name} is required")
    # A plus sign that was not percent-encoded arrives as a blank.
    moment = moments.read(text.replace(" ", "+"))
    if moment is None:
        raise _refusal(f"Invalid date for {name}: {text}")
    return moments.parse(moment).replace(second=0, microsecond=0)


def _covered(org: Org, end: datetime) -> str:
    """Everything until then is known: changes of the minute under way may still come."""
    return moments.write(min(end, org.clock.now().replace(second=0)))


def _refusal(message: str) -> ApiError:
    return ApiError("INVALID_REPLICATION_DATE", message)
