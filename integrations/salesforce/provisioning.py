"""What the provisioning worker reads of an Order and writes back (decisions.md 20, 25; performance.md §3)."""

from datetime import UTC, datetime
from typing import Any, Literal

from integrations.errors import Misconfigured, OutsideError, Rejected
from integrations.salesforce import fields as f
from integrations.salesforce.composite import NoRow, Part, PartRefused, collection, literal, query
from integrations.salesforce.connection import Connection
from integrations.salesforce.ids import OPPORTUNITY, ORDER, ORDER_ITEM, sf_id
from integrations.salesforce.items import ITEMS, items_of
from integrations.salesforce.reading import Row
from integrations.salesforce.schemas import (
    ActivatingOrder,
    CancelledOrder,
    OrderOutcome,
    ProvisionableOrder,
)
from integrations.salesforce.soql import Value, select

PROVISIONABLE = (
    "Id",
    "OrderNumber",
    "Status",
    f.ACTIVATION_STATUS,
    f.LAST_IDEM_KEY,
    f.ATTEMPT_COUNT,
    f.WHMCS_ORDER,
    f.PORTAL_REF,
    "AccountId",
    f"Account.{f.CUSTOMER_NUMBER}",
    f"Account.{f.WHMCS_CLIENT}",
    f"Account.{f.IDENTITY_STATUS}",
    "OpportunityId",
    ITEMS,
)
UPDATE_ORDER = "sobjects/Order/@{guard.records[0].Id}"


class ProvisioningCalls(Connection):
    """Orders under way to a working service."""

    def order_for_provisioning(self, order_id: str) -> ProvisionableOrder | None:
        """Everything the worker needs to know of an Order, in one query. Repeatable.

        Rejected `bad_field` names the object, id and field of a value that cannot be used. ValueError for a bad id.
        """
        soql = select(PROVISIONABLE, "Order", "Id = {}", sf_id(order_id, ORDER))
        rows = self._query("order_for_provisioning", soql, "Order")
        return _provisionable(rows[0]) if rows else None

    def activating_orders(self, *, before: datetime) -> list[ActivatingOrder]:
        """Orders in Activating that nobody saved since `before` (aware), oldest first. Repeatable."""
        soql = select(
            ("Id", f.LAST_IDEM_KEY, f.CORRELATION_ID, "SystemModstamp"),
            "Order",
            f"{f.ACTIVATION_STATUS} = {{}} AND SystemModstamp < {{}}",
            f.ACTIVATING,
            before,
            order="SystemModstamp, Id",
        )
        return [
            ActivatingOrder(
                id=row.id,
                idem_key=row.text(f.LAST_IDEM_KEY),
                correlation_id=row.text(f.CORRELATION_ID),
                modstamp=row.moment("SystemModstamp"),
            )
            for row in self._query("activating_orders", soql, "Order")
        ]

    def cancelled_orders(self, *, since: datetime) -> list[CancelledOrder]:
        """Orders that stand Cancelled and were saved at `since` (aware) or later, oldest first. Repeatable."""
        where = "Status = {} AND SystemModstamp >= {}"
        soql = select(("Id", "SystemModstamp"), "Order", where, f.CANCELLED, since, order="SystemModstamp, Id")
        rows = self._query("cancelled_orders", soql, "Order")
        return [CancelledOrder(row.id, row.moment("SystemModstamp")) for row in rows]

    def report_outcome(self, outcome: OrderOutcome) -> Literal["sent", "superseded"]:
        """Writes an attempt's end in one Composite, unless the Order is no longer where the attempt found it.

        Repeatable: when the outcome stands there already (a lost answer, one more query), it counts as sent. Rejected
        `opportunity` when the Opportunity alone was refused; nothing is written then: report without it.
        """
        parts = [query("guard", _guard(outcome)), *_writes(outcome)]
        try:
            self._composite("report_outcome", parts, repeatable=True)
        except PartRefused as refused:
            raise _refusal(refused) from None
        except NoRow:
            return "sent" if self._query("outcome_stands", _standing(outcome), "Order") else "superseded"
        return "sent"

    def activate_opportunity(
        self, *, order_id: str, whmcs_order_id: int, opportunity_id: str, whmcs_service_id: int | None
    ) -> Literal["sent", "superseded"]:
        """The Opportunity's part of a provisioned outcome by itself, where it was refused before. Repeatable.

        Written only while the Order still is as that outcome left it and nobody has moved the Opportunity on.
        """
        guard = _still_provisioned(order_id, whmcs_order_id, opportunity_id)
        part = _opportunity("@{guard.records[0].OpportunityId}", whmcs_service_id)
        try:
            self._composite("activate_opportunity", [query("guard", guard), part], repeatable=True)
        except PartRefused as refused:
            raise refused.error from None
        except NoRow:
            stands = _opportunity_stands(opportunity_id, whmcs_service_id)
            return "sent" if self._query("opportunity_stands", stands, "Opportunity") else "superseded"
        return "sent"


def _provisionable(row: Row) -> ProvisionableOrder:
    return ProvisionableOrder(
        id=row.id,
        number=row.text("OrderNumber"),
        status=row.text("Status"),
        activation_status=row.text(f.ACTIVATION_STATUS),
        last_idem_key=row.text(f.LAST_IDEM_KEY),
        attempt_count=row.maybe_integer(f.ATTEMPT_COUNT) or 0,
        whmcs_order_id=row.maybe_integer(f.WHMCS_ORDER),
        portal_ref=row.text(f.PORTAL_REF),
        account_id=row.text("AccountId"),
        account_number=row.text(f"Account.{f.CUSTOMER_NUMBER}"),
        whmcs_client=row.text(f"Account.{f.WHMCS_CLIENT}"),
        identity_status=row.text(f"Account.{f.IDENTITY_STATUS}"),
        opportunity_id=row.text("OpportunityId"),
        items=items_of(row),
    )


def _guard(outcome: OrderOutcome) -> str:
    """Only an Order that still waits for this attempt. Provisioned may also replace a stale Failed, but revives no
    Order that was cancelled meanwhile; Failed replaces none but an earlier one of the same attempt."""
    if outcome.provisioned:
        waiting: dict[str, Value] = {f.ACTIVATION_STATUS: [f.ACTIVATING, f.FAILED], "Status": [f.APPROVED, f.ACTIVATED]}
        return _order_where(outcome, **waiting)
    if outcome.replaces is None:
        return _order_where(outcome, **{f.ACTIVATION_STATUS: f.ACTIVATING})
    # The text itself cannot be compared in a query: it is a long text area.
    earlier = f"({f.ACTIVATION_STATUS} = {{}} OR ({f.ACTIVATION_STATUS} = {{}} AND {f.ACTIVATION_ERROR_AT} = {{}}))"
    ours, values = _ours(outcome)
    return select(
        ["Id"], "Order", f"{ours} AND {earlier}", *values, f.ACTIVATING, f.FAILED, _whole_second(outcome.replaces)
    )


def _standing(outcome: OrderOutcome) -> str:
    """Only an Order on which this very outcome was written already."""
    written: dict[str, Value] = {f.ATTEMPT_COUNT: outcome.attempt_count}
    if not outcome.provisioned:
        written |= {f.ACTIVATION_STATUS: f.FAILED, f.ACTIVATION_ERROR_AT: _whole_second(outcome.at)}
        return _order_where(outcome, **written)
    written |= {f.ACTIVATION_STATUS: f.PROVISIONED}
    if outcome.whmcs_order_id is not None:
        written |= {f.WHMCS_ORDER: outcome.whmcs_order_id}
    return _order_where(outcome, **written)


def _order_where(outcome: OrderOutcome, **values: Value) -> str:
    """The outcome's Order if its fields are so, and if its newest request is the one the attempt answers."""
    ours, wanted = _ours(outcome)
    tests = (f" AND {name} {'IN' if isinstance(value, list) else '='} {{}}" for name, value in values.items())
    return select(["Id"], "Order", ours + "".join(tests), *wanted, *values.values())


def _ours(outcome: OrderOutcome) -> tuple[str, list[Value]]:
    order_id = sf_id(outcome.order_id, ORDER)
    if not outcome.idem_key:
        return "Id = {}", [order_id]
    return f"Id = {{}} AND {f.LAST_IDEM_KEY} = {{}}", [order_id, outcome.idem_key]


def _still_provisioned(order_id: str, whmcs_order_id: int, opportunity_id: str) -> str:
    """Only an Order that stands Provisioned by this WHMCS order and whose Opportunity is where placing left it."""
    wanted: dict[str, Value] = {
        "Id": sf_id(order_id, ORDER),
        "Status": f.ACTIVATED,
        f.ACTIVATION_STATUS: f.PROVISIONED,
        f.WHMCS_ORDER: whmcs_order_id,
        "OpportunityId": sf_id(opportunity_id, OPPORTUNITY),
    }
    where = " AND ".join(f"{name} = {{}}" for name in wanted) + " AND Opportunity.StageName IN {}"
    not_further = [f.STAGE_INTRODUCTION, f.STAGE_READY, f.STAGE_POST_PROCESSING]
    return select(["Id", "OpportunityId"], "Order", where, *wanted.values(), not_further)


def _opportunity_stands(opportunity_id: str, whmcs_service_id: int | None) -> str:
    wanted: dict[str, Value] = {"Id": sf_id(opportunity_id, OPPORTUNITY), "StageName": f.STAGE_ACTIVE}
    if whmcs_service_id is not None:
        wanted |= {f.WHMCS_SERVICE: whmcs_service_id}
    return select(["Id"], "Opportunity", " AND ".join(f"{name} = {{}}" for name in wanted), *wanted.values())


def _writes(outcome: OrderOutcome) -> list[Part]:
    """Items before the Order, for an activated Order may lock them; the Opportunity last."""
    order = Part("order", "PATCH", UPDATE_ORDER, _order_values(outcome))
    if not outcome.provisioned:
        return [order]
    items = [
        {
            "attributes": {"type": "OrderItem"},
            "Id": sf_id(item_id, ORDER_ITEM),
            f.WHMCS_SERVICE: str(service_id),
        }
        for item_id, service_id in outcome.services.items()
    ]
    parts = [collection("items", "PATCH", items), order] if items else [order]
    if outcome.with_opportunity and outcome.opportunity_id:
        parts.append(_opportunity(sf_id(outcome.opportunity_id, OPPORTUNITY), outcome.opportunity_service_id))
    return parts


def _opportunity(reference: str, whmcs_service_id: int | None) -> Part:
    values: dict[str, Any] = {"StageName": f.STAGE_ACTIVE}
    if whmcs_service_id is not None:
        values |= {f.WHMCS_SERVICE: whmcs_service_id}
    return Part("opportunity", "PATCH", f"sobjects/Opportunity/{reference}", values)


def _order_values(outcome: OrderOutcome) -> dict[str, Any]:
    counted = {f.ATTEMPT_COUNT: outcome.attempt_count, f.LAST_PROVISIONING_AT: _moment(outcome.at)}
    if not outcome.provisioned:
        return counted | {
            f.ACTIVATION_STATUS: f.FAILED,
            f.ACTIVATION_ERROR: literal(outcome.error)[: f.LONGEST_ERROR],
            f.ACTIVATION_ERROR_AT: _moment(outcome.at),
        }
    return counted | {
        "Status": f.ACTIVATED,
        f.ACTIVATION_STATUS: f.PROVISIONED,
        f.ACTIVATION_ERROR: None,
        f.ACTIVATION_ERROR_AT: None,
        f.WHMCS_ORDER: outcome.whmcs_order_id,
        **({f.ESIM_ICCID: outcome.iccid} if outcome.iccid else {}),
    }


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _whole_second(at: datetime) -> datetime:
    """As Salesforce keeps it."""
    return at.replace(microsecond=0)


def _refusal(refused: PartRefused) -> OutsideError:
    error = refused.error
    if refused.name == "opportunity" and isinstance(error, Rejected | Misconfigured):
        return Rejected(error.system, error.operation, "opportunity", f"{error.code}: {error.text}")
    return error
