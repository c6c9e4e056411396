"""Cancelling an order in review for its customer, unless support approved it first (product.md §7, decisions.md 15)."""

from integrations.errors import Rejected
from integrations.salesforce import fields as f
from integrations.salesforce.changes import CHANGE, change_of
from integrations.salesforce.composite import NoRow, Part, PartRefused, query
from integrations.salesforce.ids import ORDER, sf_id
from integrations.salesforce.orders import OrderCalls
from integrations.salesforce.reading import Row
from integrations.salesforce.schemas import OrderChange, OrderInReview
from integrations.salesforce.soql import Value, select


class CancellingCalls(OrderCalls):
    """An order that its customer does not want any more."""

    def order_in_review(self, order_id: str) -> OrderInReview | None:
        """One Order with its Opportunity, before it is cancelled. Repeatable."""
        fields = (*CHANGE, *self._opportunity_fields("Opportunity."))
        rows = self._query("order_in_review", select(fields, "Order", "Id = {}", sf_id(order_id, ORDER)), "Order")
        return self._in_review(rows[0]) if rows else None

    def _in_review(self, row: Row) -> OrderInReview:
        parent = row.value("Opportunity")
        opportunity = None if parent is None else self._opportunity(Row(row.operation, "Opportunity", parent))
        return OrderInReview(change_of(row), opportunity)

    def cancel_order(self, seen: OrderInReview, *, stage: str) -> OrderChange:
        """Cancels an Order that nobody approved since it was seen, in one Composite, and reads it back.

        With `stage` its Opportunity goes there, if it stands where it was seen. Repeatable. Rejected
        `not_pending_review` when either has moved on, `opportunity` when the Opportunity alone was refused; nothing is
        written then.
        """
        parts = [query("guard", _still_in_review(seen, stage)), _cancelling(), *_restaged(seen, stage)]
        parts.append(query("read", select(CHANGE, "Order", "Id = {}", seen.order.id)))
        try:
            bodies = self._composite("cancel_order", parts, repeatable=True)
        except PartRefused as refused:
            if refused.name == "opportunity" and isinstance(refused.error, Rejected):
                raise Rejected("salesforce", "cancel_order", "opportunity", refused.error.text) from None
            raise refused.error from None
        except NoRow:
            text = f"Order {seen.order.id} is not in review any more, or its Opportunity has moved on."
            raise Rejected("salesforce", "cancel_order", "not_pending_review", text) from None
        return change_of(Row("cancel_order", "Order", bodies["read"]["records"][0]))


def _still_in_review(seen: OrderInReview, stage: str) -> str:
    wanted: dict[str, Value] = {"Id": seen.order.id, "Status": f.PENDING_REVIEW}
    if stage and seen.opportunity:
        wanted["OpportunityId"] = seen.opportunity.id  # the one that `stage` was judged for, not another in that stage
        wanted["Opportunity.StageName"] = seen.opportunity.stage
    where = "".join(f"{name} = {{}} AND " for name in wanted)
    where += f"({f.ACTIVATION_STATUS} = null OR {f.ACTIVATION_STATUS} = {{}})"
    return select(["Id", "OpportunityId"], "Order", where, *wanted.values(), f.PENDING_REVIEW)


def _cancelling() -> Part:
    return Part("order", "PATCH", "sobjects/Order/@{guard.records[0].Id}", {"Status": f.CANCELLED})


def _restaged(seen: OrderInReview, stage: str) -> list[Part]:
    path = "sobjects/Opportunity/@{guard.records[0].OpportunityId}"
    return [Part("opportunity", "PATCH", path, {"StageName": stage})] if stage else []
