"""Queries and their pages (salesforce-wire.md, section 3.2)."""

import re
from typing import Any

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import explaining
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.rest.locators import Locator, Locators, invalid
from sandbox.salesforce.soql.answer import CHILDREN_SHOWN, Presenter
from sandbox.salesforce.soql.grouping import GroupSelection
from sandbox.salesforce.soql.select import Selected, select
from sandbox.salesforce.soql.selection import Children, CountSelection, RowSelection
from sandbox.salesforce.soql.source import Living, Source, WithDeleted

LARGEST_PAGE = 2000
SMALLEST_PAGE = 200
_BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d{1,9})", re.IGNORECASE)


class Queries:
    """Runs queries and serves the pages of their results."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._locators = Locators(org)

    def query(self, call: Call) -> Answer:
        """GET query/?q= or ?explain="""
        if "explain" in call.params and "q" not in call.params:
            return explaining.explain(Living(self._org, call.user_id), call)
        return self._run(call, deleted_too=False)

    def query_all(self, call: Call) -> Answer:
        """GET queryAll/?q="""
        return self._run(call, deleted_too=True)

    def more(self, call: Call, cursor: str) -> Answer:
        """GET query/{locator}-{offset}"""
        name, _, offset = cursor.rpartition("-")
        locator = self._locators.find(call.user_id, name)
        if not re.fullmatch(r"[0-9]{1,9}", offset) or int(offset) >= locator.size:
            raise invalid()
        start = int(offset)
        end = start + (CHILDREN_SHOWN if locator.steps else _page_size(call))
        rows = _descend(select(self._source(call, locator.deleted_too), locator.query, call.version), locator)
        found = self._locators.page(locator, start, end)
        records = self._presenter(call, locator.query, locator.deleted_too).page(rows, found, locator.steps)
        return _rows_answer(call, locator.query, locator.size, records, None if end >= locator.size else (locator, end))

    def _run(self, call: Call, *, deleted_too: bool) -> Answer:
        text = call.params.get("q")
        if text is None:
            raise ApiError("MALFORMED_QUERY", "A query string has to be specified")
        selected = select(self._source(call, deleted_too), text, call.version)
        match selected:
            case CountSelection():
                body = {"totalSize": selected.count(), "done": True, "records": []}
                return Answer(200, body, detail={"rows": 0, "soql": text})
            case GroupSelection():
                return _groups_answer(selected, text)
            case RowSelection():
                return self._first_page(call, selected, text, deleted_too)

    def _first_page(self, call: Call, rows: RowSelection, text: str, deleted_too: bool) -> Answer:
        found, end = rows.ids(), _page_size(call)
        records = self._presenter(call, text, deleted_too).page(rows, found[:end])
        rest = None
        if len(found) > end:
            rest = (self._locators.keep(call.user_id, text, deleted_too, found), end)
        return _rows_answer(call, text, len(found), records, rest)

    def _presenter(self, call: Call, text: str, deleted_too: bool) -> Presenter:
        def keep_rest(steps: tuple[str, ...], parent: str, found: list[str]) -> str:
            locator = self._locators.keep(call.user_id, text, deleted_too, found, steps, parent)
            return _next(call, locator, CHILDREN_SHOWN)

        return Presenter(self._source(call, deleted_too), call.base, keep_rest)

    def _source(self, call: Call, deleted_too: bool) -> Source:
        return (WithDeleted if deleted_too else Living)(self._org, call.user_id)


def _descend(selected: Selected, locator: Locator) -> RowSelection:
    """The query whose result the locator stands for: the whole one or one inside of it."""
    for step in locator.steps:
        part = selected.shape.parts.get(step) if isinstance(selected, RowSelection) else None
        if not isinstance(part, Children):
            raise invalid()
        selected = part.rows
    if not isinstance(selected, RowSelection):
        raise invalid()
    return selected


def _rows_answer(
    call: Call, text: str, size: int, records: list[dict[str, Any]], rest: tuple[Locator, int] | None
) -> Answer:
    body: dict[str, Any] = {"totalSize": size, "done": rest is None}
    if rest is not None:
        body["nextRecordsUrl"] = _next(call, *rest)
    return Answer(200, {**body, "records": records}, detail={"rows": len(records), "soql": text})


def _groups_answer(selected: GroupSelection, text: str) -> Answer:
    rows = selected.rows()
    if len(rows) > LARGEST_PAGE:
        message = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
        raise ApiError("EXCEEDED_ID_LIMIT", message)
    records = [{"attributes": {"type": "AggregateResult"}, **row} for row in rows]
    body = {"totalSize": len(rows), "done": True, "records": records}
    return Answer(200, body, detail={"rows": len(rows), "soql": text})


def _next(call: Call, locator: Locator, offset: int) -> str:
    return f"{call.base}/query/{locator.name}-{offset}"


def _page_size(call: Call) -> int:
    match = _BATCH_SIZE.search(call.headers.get("sforce-query-options", ""))
    wanted = int(match[1]) if match else LARGEST_PAGE
    return max(SMALLEST_PAGE, min(LARGEST_PAGE, wanted))
