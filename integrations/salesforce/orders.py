"""Orders and opportunities: placing, and what the portal reads of them (product.md §7; salesforce-wire.md §3.7)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from integrations.errors import Misconfigured, OutsideError, Rejected, Unavailable
from integrations.salesforce import fields as f
from integrations.salesforce.changes import CHANGE, change_of
from integrations.salesforce.composite import NoRow, Part, PartRefused, collection, literal, literal_json, query
from integrations.salesforce.connection import Connection
from integrations.salesforce.ids import ACCOUNT, OPPORTUNITY, ORDER, sf_id
from integrations.salesforce.reading import Row
from integrations.salesforce.schemas import NewOrder, NewOrderItem, OpportunityRecord, OrderChange, PlacedOrder
from integrations.salesforce.soql import Value, children, select

IDS_IN_ONE_QUERY = 400  # the address may be 16 KB long
PLACED = ("Id", "OrderNumber", "OpportunityId", children(["Id"], "OrderItems", order="Id"))
OPEN_STAGES = (f.STAGE_INTRODUCTION, f.STAGE_READY)
OPPORTUNITY_CLOSED = "opportunity_closed"
OPPORTUNITY_REFUSED = "opportunity_refused"


class OrderCalls(Connection):
    """What customers order, and how Salesforce changes it."""

    def open_opportunities(self, *, account_id: str, commodity: str) -> list[OpportunityRecord]:
        """The Account's Opportunities that an order of this commodity may take, newest first. Repeatable.

        A corporate one counts for its personal commodity too (decisions.md 15).
        """
        soql = select(
            self._opportunity_fields(),
            "Opportunity",
            f"AccountId = {{}} AND {self._commodity_field} IN {{}} AND StageName IN {{}}",
            sf_id(account_id, ACCOUNT),
            _commodities(commodity),
            OPEN_STAGES,
            order="CreatedDate DESC, Id DESC",
        )
        return [self._opportunity(row) for row in self._query("open_opportunities", soql, "Opportunity")]

    def _opportunity_fields(self, parent: str = "") -> list[str]:
        names = ("Id", "StageName", self._commodity_field, f.PORTAL_SOURCE, f.PORTAL_REF, "CreatedDate")
        return [parent + name for name in names]

    def _opportunity(self, row: Row) -> OpportunityRecord:
        return OpportunityRecord(
            id=row.id,
            stage=row.text("StageName"),
            commodity=row.text(self._commodity_field),
            source=row.text(f.PORTAL_SOURCE),
            portal_ref=row.text(f.PORTAL_REF),
            created=row.moment("CreatedDate"),
        )

    def place_order(self, new: NewOrder) -> PlacedOrder:
        """Opportunity, Order and items in one Composite, all or none.

        A reference that exists already is read and adopted. UnknownOutcome: look by `order_by_ref`. Unavailable
        `opportunity_closed` when `new.opportunity_id` is not open any more, Rejected `opportunity_refused` when the org
        does not let it be changed (a rule, a lock, a missing permission): nothing was done, choose again.
        Misconfigured `pricebook` when the portal's pricebook is missing or inactive. ValueError for malformed ids.
        """
        parts = [query("pricebook", self._pricebook()), *self._opportunity_parts(new), *_order_parts(new)]
        try:
            bodies = self._composite("place_order", parts)
        except NoRow as missing:
            if missing.name == "open":
                raise Unavailable("salesforce", "place_order", OPPORTUNITY_CLOSED) from None
            sentence = f"Salesforce has no active pricebook named {self._pricebook_name}: check PORTAL_PRICEBOOK_NAME."
            raise Misconfigured("salesforce", "place_order", "pricebook", sentence) from None
        except PartRefused as refused:
            if new.opportunity_id and refused.name == "opportunity":
                raise _of_opportunity(refused) from None
            return self._adopted_order(new.ref, refused)
        return PlacedOrder(
            id=sf_id(bodies["order"]["id"], ORDER),
            number=Row("place_order", "Order", bodies["read"]).text("OrderNumber"),
            opportunity_id=new.opportunity_id or sf_id(bodies["opportunity"]["id"], OPPORTUNITY),
            item_ids=tuple(row["id"] for row in bodies["items"]),
        )

    def _pricebook(self) -> str:
        return select(["Id"], "Pricebook2", "Name = {} AND IsActive = true", self._pricebook_name)

    def _opportunity_parts(self, new: NewOrder) -> list[Part]:
        if new.opportunity_id:
            still_open = select(
                ["Id"],
                "Opportunity",
                "Id = {} AND AccountId = {} AND StageName IN {}",
                sf_id(new.opportunity_id, OPPORTUNITY),
                sf_id(new.account_id, ACCOUNT),
                OPEN_STAGES,
            )
            path = "sobjects/Opportunity/@{open.records[0].Id}"
            change = Part("opportunity", "PATCH", path, {"StageName": f.STAGE_POST_PROCESSING})
            return [query("open", still_open), change]
        values = {
            "Name": literal(f"{new.commodity} – {new.account_name}")[:120],
            "AccountId": sf_id(new.account_id, ACCOUNT),
            "StageName": f.STAGE_POST_PROCESSING,
            "CloseDate": new.close_date,
            self._commodity_field: new.commodity,
            f.PORTAL_SOURCE: f.SOURCE_ORDER,
            f.PORTAL_REF: new.ref,
        }
        return [Part("opportunity", "POST", "sobjects/Opportunity", values)]

    def _adopted_order(self, ref: str, refused: PartRefused) -> PlacedOrder:
        found = self.order_by_ref(ref) if refused.error.code == "duplicate_value" else None
        if found is None:
            raise refused.error
        return found

    def order_by_ref(self, ref: str) -> PlacedOrder | None:
        """The Order we placed under this reference, its items in the order they were sent. Repeatable."""
        rows = self._query("order_by_ref", select(PLACED, "Order", f"{f.PORTAL_REF} = {{}}", ref), "Order")
        return _placed(rows[0]) if rows else None

    def order_changes(self, *, since: datetime | None) -> list[OrderChange]:
        """Orders of ours and of portal customers saved at `since` (aware) or later, oldest first. Repeatable.

        All without `since`. A change of an item counts as one of its Order, whose total it moves.
        """
        theirs = f"({f.PORTAL_REF} != null OR Account.{f.PORTAL_STATUS} != null)"
        if since is None:
            return self._changes("order_changes", theirs)
        return self._changes("order_changes", f"{theirs} AND SystemModstamp >= {{}}", since)

    def orders_of_accounts(self, account_ids: Sequence[str]) -> list[OrderChange]:
        """All Orders of at most IDS_IN_ONE_QUERY Accounts, oldest change first. Repeatable. ValueError for a bad id."""
        return self._changes("orders_of_accounts", "AccountId IN {}", [sf_id(each, ACCOUNT) for each in account_ids])

    def order_change(self, order_id: str) -> OrderChange | None:
        """One Order as it stands. Repeatable."""
        return next(iter(self._changes("order_change", "Id = {}", sf_id(order_id, ORDER))), None)

    def _changes(self, operation: str, where: str, *values: Value) -> list[OrderChange]:
        soql = select(CHANGE, "Order", where, *values, order="SystemModstamp, Id")
        return [change_of(row) for row in self._query(operation, soql, "Order")]

    def request_provisioning(self, order_id: str) -> None:
        """Staff's retry: Failed becomes Activating, and the org's Flow asks for provisioning. Never repeated.

        Rejected `not_failed` when the Order is not in Failed any more, or its Status allows no provisioning.
        """
        retriable = f"Id = {{}} AND {f.ACTIVATION_STATUS} = {{}} AND Status IN {{}}"
        guard = select(["Id"], "Order", retriable, sf_id(order_id, ORDER), f.FAILED, [f.APPROVED, f.ACTIVATED])
        change = Part("order", "PATCH", "sobjects/Order/@{guard.records[0].Id}", {f.ACTIVATION_STATUS: f.ACTIVATING})
        try:
            self._composite("request_provisioning", [query("guard", guard), change])
        except PartRefused as refused:
            raise refused.error from None
        except NoRow:
            text = f"Order {order_id} is not an approved order in Failed."
            raise Rejected("salesforce", "request_provisioning", "not_failed", text) from None


def _of_opportunity(refused: PartRefused) -> OutsideError:
    """What a refusal of an Opportunity that exists means: another one will do, unless it is only busy."""
    if not isinstance(refused.error, Rejected | Misconfigured):
        return refused.error
    return Rejected("salesforce", "place_order", OPPORTUNITY_REFUSED, refused.error.code)


def _commodities(commodity: str) -> list[str]:
    if not commodity.startswith(f.PERSONAL):
        return [commodity]
    return [commodity, f.CORPORATE + commodity.removeprefix(f.PERSONAL)]


def _order_parts(new: NewOrder) -> list[Part]:
    order = {
        "AccountId": sf_id(new.account_id, ACCOUNT),
        "OpportunityId": sf_id(new.opportunity_id, OPPORTUNITY) if new.opportunity_id else "@{opportunity.id}",
        "Pricebook2Id": "@{pricebook.records[0].Id}",
        "EffectiveDate": new.effective_date,
        "Status": f.PENDING_REVIEW,
        f.ACTIVATION_STATUS: f.PENDING_REVIEW,
        f.CORRELATION_ID: new.correlation_id,
        f.PORTAL_REF: new.ref,
    }
    return [
        Part("order", "POST", "sobjects/Order", order),
        collection("items", "POST", _items(new.items)),
        Part("read", "GET", "sobjects/Order/@{order.id}?fields=Id,OrderNumber"),
    ]


def _items(items: Sequence[NewOrderItem]) -> list[Mapping[str, Any]]:
    return [
        {
            "attributes": {"type": "OrderItem"},
            "OrderId": "@{order.id}",
            "PricebookEntryId": item.pricebook_entry_id,
            "Quantity": item.quantity,
            "UnitPrice": item.unit_price,
            f.BILLING_CYCLE: item.billing_cycle,
            f.CHOSEN_OPTIONS: literal_json(item.options),
        }
        for item in items
    ]


def _placed(row: Row) -> PlacedOrder:
    return PlacedOrder(
        id=row.id,
        number=row.text("OrderNumber"),
        opportunity_id=row.text("OpportunityId"),
        item_ids=tuple(item.id for item in row.children("OrderItems", "OrderItem")),
    )
