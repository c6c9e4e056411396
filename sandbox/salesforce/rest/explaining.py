"""How a query would be run: `query/?explain=` (salesforce-wire.md, section 3.2)."""

from typing import Any

from sandbox.salesforce.rest.calls import Answer, Call
from sandbox.salesforce.soql.select import select
from sandbox.salesforce.soql.source import Source

_SCAN_COST = 1.0


def explain(source: Source, call: Call) -> Answer:
    """The plans for the query in `explain`, the one that would be used first. Raises ApiError."""
    text = call.params["explain"]
    matching = select(source, text, call.version).matching
    size = source.size(matching.sobject.name)
    plan = matching.filter.plan if matching.filter else None
    offer = plan.offer(source) if plan else None
    scan = _plan(matching.sobject.name, size, size, "TableScan", (), _SCAN_COST)
    plans = [scan]
    if offer is not None:
        share = offer.cost / size if size else 0.0
        plans.insert(0, _plan(matching.sobject.name, size, offer.cost, "Index", offer.fields, share))
    return Answer(200, {"plans": plans, "sourceQuery": text}, detail={"soql": text})


def _plan(
    type_name: str, size: int, cardinality: int, operation: str, fields: tuple[str, ...], cost: float
) -> dict[str, Any]:
    return {
        "cardinality": cardinality,
        "fields": list(fields),
        "leadingOperationType": operation,
        "notes": [],
        "relativeCost": cost,
        "sobjectCardinality": size,
        "sobjectType": type_name,
    }
