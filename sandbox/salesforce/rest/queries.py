"""Queries and their pages (salesforce-wire.md, section 3.2)."""

import re
import secrets
from datetime import datetime, timedelta
from typing import Any

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.soql.answer import show
from sandbox.salesforce.soql.select import Selection, select

LARGEST_PAGE = 2000
SMALLEST_PAGE = 200
_LOCATOR_LIFE = timedelta(days=2)
_BATCH_SIZE = re.compile(r"batchSize=(\d+)", re.IGNORECASE)


class Queries:
    """Runs queries and keeps the rest of long results until they are fetched or two days old."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._locators = org.store.table("query locator")

    def query(self, call: Call) -> Answer:
        """GET query/?q="""
        return self._run(call, deleted_too=False)

    def query_all(self, call: Call) -> Answer:
        """GET queryAll/?q="""
        return self._run(call, deleted_too=True)

    def more(self, call: Call, cursor: str) -> Answer:
        """GET query/{locator}-{offset}"""
        name, _, offset = cursor.rpartition("-")
        kept = self._locators.get(name)
        if kept is None or not offset.isdecimal() or self._stale(kept["made_at"]):
            raise ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")
        selection = select(self._org, kept["query"])
        return self._page(call, selection, kept["ids"], int(offset), kept["query"], name)

    def _run(self, call: Call, *, deleted_too: bool) -> Answer:
        text = call.params.get("q")
        if not text:
            raise ApiError("MALFORMED_QUERY", "SOQL statement is required")
        selection = select(self._org, text)
        rows = selection.records(self._org, deleted_too=deleted_too)
        if selection.shape is None:
            return Answer(200, {"totalSize": len(rows), "done": True, "records": []}, detail={"rows": 0, "soql": text})
        if len(rows) <= _page_size(call):
            records = [show(self._org, selection.shape, row, call.base) for row in rows]
            body = {"totalSize": len(rows), "done": True, "records": records}
            return Answer(200, body, detail={"rows": len(rows), "soql": text})
        return self._page(call, selection, [row["Id"] for row in rows], 0, text, None)

    def _page(
        self, call: Call, selection: Selection, found: list[str], offset: int, text: str, locator: str | None
    ) -> Answer:
        end = offset + _page_size(call)
        name = selection.sobject.name
        page = [record for each in found[offset:end] if (record := self._org.get(name, each)) is not None]
        records = [show(self._org, selection.shape, row, call.base) for row in page] if selection.shape else []
        body: dict[str, Any] = {"totalSize": len(found), "done": end >= len(found)}
        if not body["done"]:
            body["nextRecordsUrl"] = f"{call.base}/query/{locator or self._keep(text, found)}-{end}"
        return Answer(200, {**body, "records": records}, detail={"rows": len(records), "soql": text})

    def _keep(self, text: str, found: list[str]) -> str:
        for name in [each["name"] for each in self._locators.all() if self._stale(each["made_at"])]:
            self._locators.delete(name)
        name = f"01g{secrets.token_hex(8).upper()}"
        made_at = self._org.clock.now().isoformat()
        self._locators.put(name, {"name": name, "query": text, "ids": found, "made_at": made_at})
        return name

    def _stale(self, made_at: str) -> bool:
        return self._org.clock.now() - datetime.fromisoformat(made_at) > _LOCATOR_LIFE


def _page_size(call: Call) -> int:
    match = _BATCH_SIZE.search(call.headers.get("sforce-query-options", ""))
    wanted = int(match[1]) if match else LARGEST_PAGE
    return max(SMALLEST_PAGE, min(LARGEST_PAGE, wanted))
