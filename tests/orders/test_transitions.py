"""The tables of allowed moves, and what provisioning and Salesforce may tell."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import transaction

from integrations.salesforce.schemas import ProvisionableItem
from orders.models import Order, OrderEvent
from orders.progress import record_progress
from orders.transitions import ForbiddenMove, mirror, move_local, move_progress
from tests.orders.doubles import Salesforce, Whmcs
from tests.orders.steps import order_now
from tests.people import make_customer

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 11, 20, 1, 12, tzinfo=UTC)
P = Order.Progress


@pytest.fixture
def order(salesforce: Salesforce, whmcs: Whmcs) -> Order:
    return order_now(make_customer(), "VPN-US")[0]


def tell(order: Order, progress: Order.Progress, **more: object) -> Order:
    with transaction.atomic():
        record_progress(sf_order_id=order.sf_order_id or "", progress=progress, at=AT, **more)  # type: ignore[arg-type]
    return Order.objects.get(pk=order.pk)


@pytest.mark.parametrize("to", [Order.Local.SUBMITTED, Order.Local.REFUSED, Order.Local.PLACED])
def test_a_placed_order_stays_placed(order: Order, to: Order.Local) -> None:
    events = OrderEvent.objects.count()
    with pytest.raises(ForbiddenMove):
        move_local(order, to, actor="portal")
    assert OrderEvent.objects.count() == events
    assert Order.objects.get(pk=order.pk).local_state == Order.Local.PLACED


@pytest.mark.parametrize(
    ("path", "ends"),
    [
        ([P.ACTIVATING, P.PROVISIONED], P.PROVISIONED),
        ([P.ACTIVATING, P.CHECKING, P.FAILED, P.ACTIVATING, P.PROVISIONED], P.PROVISIONED),
        ([P.PROVISIONED, P.FAILED], P.PROVISIONED),
        ([P.PROVISIONED, P.ACTIVATING], P.PROVISIONED),
        ([P.FAILED, P.PROVISIONED], P.PROVISIONED),
        ([P.FAILED, P.FAILED], P.FAILED),
    ],
)
def test_progress_follows_its_table(order: Order, path: list[Order.Progress], ends: Order.Progress) -> None:
    for step in path:
        move_progress(order, step)
    assert Order.objects.get(pk=order.pk).progress == ends


@pytest.mark.parametrize(("progress", "approved_at"), [(P.FAILED, None), (P.CHECKING, None), (P.ACTIVATING, AT)])
def test_an_attempt_that_failed_says_nothing_about_the_approval(
    order: Order, progress: Order.Progress, approved_at: datetime | None
) -> None:
    """It may have failed because the order was not approved."""
    assert tell(order, progress).approved_at == approved_at


def test_provisioned_is_told_with_ids_and_times(order: Order) -> None:
    item_id = order.lines.all()[0].sf_order_item_id
    assert item_id
    for _ in range(2):
        told = tell(order, P.PROVISIONED, whmcs_order_id=77, services={item_id: 501})
    assert (told.progress, told.whmcs_order_id, told.provisioned_at, told.approved_at) == (P.PROVISIONED, 77, AT, AT)
    assert told.lines.all()[0].whmcs_service_id == 501
    assert told.events.filter(what="progress:Provisioned").count() == 1


def test_an_order_that_is_not_ours_is_nobodys_concern(order: Order) -> None:
    with transaction.atomic():
        record_progress(sf_order_id="801OTHER0000000AAA", progress=P.FAILED, at=AT)
    assert Order.objects.get(pk=order.pk).progress == P.NONE


def item(order: Order, sku: str, price: int, item_class: str = "Service", item_id: str = "802X") -> ProvisionableItem:
    return ProvisionableItem(
        id=item_id,
        sku=sku,
        name=f"{sku} in Salesforce",
        item_class=item_class,
        category="VPN",
        billing_cycle="Monthly" if item_class == "Service" else "One-time",
        quantity=1,
        unit_price=price,
        whmcs_product_id="301",
        options={},
        whmcs_service_id="",
    )


def test_items_changed_after_approval_replace_the_lines(order: Order) -> None:
    items = [item(order, "ACT-VPN", 0, "Activation", "802A"), item(order, "VPN-UK", 660, item_id="802B")]
    told = tell(order, P.PROVISIONED, items=items, services={"802B": 9})
    assert [(line.sku, line.unit_price, line.name_en) for line in told.lines.all()] == [
        ("VPN-UK", 660, "VPN United Kingdom"),
        ("ACT-VPN", 0, "VPN activation"),
    ]
    assert told.lines.all()[0].whmcs_service_id == 9
    event = told.events.get(what="items_changed")
    assert event.detail["now"] == ["1 × ACT-VPN à 0", "1 × VPN-UK à 660"]


def test_an_item_that_cannot_be_kept_does_not_undo_what_was_provisioned(order: Order) -> None:
    item_id = order.lines.all()[0].sf_order_item_id
    odd = [replace(item(order, "VPN-US", 550, item_id=item_id), item_class="S" * 30)]
    told = tell(order, P.PROVISIONED, whmcs_order_id=77, items=odd, services={item_id: 9})
    assert (told.progress, told.whmcs_order_id, told.lines.all()[0].whmcs_service_id) == (P.PROVISIONED, 77, 9)
    assert told.events.filter(what="items_unusable").exists()


def test_the_same_items_leave_the_lines_alone_and_teach_their_ids(order: Order) -> None:
    order.lines.update(sf_order_item_id="")
    kept = list(order.lines.values_list("pk", flat=True))
    told = tell(
        order,
        P.ACTIVATING,
        items=[item(order, "ACT-VPN", 0, "Activation", "802A"), item(order, "VPN-US", 550, item_id="802B")],
    )
    assert [line.pk for line in told.lines.all()] == kept
    assert [line.sf_order_item_id for line in told.lines.all()] == ["802B", "802A"]
    assert not told.events.filter(what="items_changed").exists()


def test_a_move_salesforce_should_not_make_is_mirrored_and_marked(order: Order) -> None:
    mirror(order, status="Cancelled", activation="Pending Review", at=AT, actor="salesforce")
    mirror(order, status="Activated", activation="Pending Review", at=AT, actor="salesforce")
    assert Order.objects.get(pk=order.pk).sf_status == "Activated"
    details = [event.detail for event in order.events.filter(what="salesforce")]
    assert [detail.get("unexpected", False) for detail in details] == [False, True]


def test_an_event_is_written_once(order: Order) -> None:
    event = order.events.first()
    assert event is not None
    with pytest.raises(TypeError):
        event.save()
