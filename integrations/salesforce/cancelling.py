"""Cancelling an order in review for its customer, unless support approved it first (product.md §7, decisions.md 15)."""

from integrations.errors import Rejected
from integrations.salesforce import fields as f
from integrations.salesforce.changes import CHANGE, change_of
from integrations.salesforce.composite import NoRow, Part, PartRefused, query
from integrations.salesforce.ids import ORDER, sf_id
from integrations.salesforce.orders import OrderCalls
from integrations.salesforce.reading import Row
from integrations.salesforce.schemas import OrderChange, OrderInReview
from integrations.salesforce.soql import select


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

        With `stage` its Opportunity goes there, if it stands where it was seen and no other Order of it lives.
        Repeatable. Nothing is written when this raises Rejected: `not_in_review` when the Order has moved on,
        `opportunity_shared` when its Opportunity has, or another Order has it too, `opportunity` when the org refused
        to change the Opportunity, else what the org says against cancelling (docs/architecture.md: its rule).
        """
        parts = [query("guard", _still_in_review(seen)), _cancelling(), *_restaged(seen, stage)]
        parts.append(query("read", select(CHANGE, "Order", "Id = {}", seen.order.id)))
        try:
            bodies = self._composite("cancel_order", parts, repeatable=True)
        except PartRefused as refused:
            if refused.name == "opportunity" and isinstance(refused.error, Rejected):
                raise Rejected("salesforce", "cancel_order", "opportunity", refused.error.text) from None
            raise refused.error from None
        except NoRow as missing:
            raise Rejected("salesforce", "cancel_order", *_MOVED_ON[missing.name]) from None
        return change_of(Row("cancel_order", "Order", bodies["read"]["records"][0]))


_MOVED_ON = {
    "guard": ("not_in_review", "The Order is not in review any more."),
    "free": ("opportunity_shared", "Its Opportunity has moved on, or another Order of it lives."),
}


def _still_in_review(seen: OrderInReview) -> str:
    where = f"Id = {{}} AND Status IN {{}} AND ({f.ACTIVATION_STATUS} = null OR {f.ACTIVATION_STATUS} = {{}})"
    return select(["Id"], "Order", where, seen.order.id, f.IN_REVIEW, f.PENDING_REVIEW)


def _cancelling() -> Part:
    return Part("order", "PATCH", "sobjects/Order/@{guard.records[0].Id}", {"Status": f.CANCELLED})


def _restaged(seen: OrderInReview, stage: str) -> list[Part]:
    """The Opportunity that `stage` was judged for, unless it moved on or an Order that was not cancelled has it."""
    if not stage or seen.opportunity is None:
        return []
    free = select(
        ["Id"],
        "Opportunity",
        "Id = {} AND StageName = {} AND Id NOT IN "
        "(SELECT OpportunityId FROM Order WHERE OpportunityId = {} AND Id != {} AND Status != {})",
        *(seen.opportunity.id, seen.opportunity.stage),
        *(seen.opportunity.id, seen.order.id, f.CANCELLED),
    )
    return [
        query("free", free),
        Part("opportunity", "PATCH", "sobjects/Opportunity/@{free.records[0].Id}", {"StageName": stage}),
    ]
