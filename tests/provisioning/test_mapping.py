"""Items of Salesforce as lines of AddOrder."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from integrations.whmcs.schemas import Service
from provisioning import mapping
from provisioning.failures import Failure
from provisioning.mapping import Line
from tests.provisioning.doubles import ORDER, activation, item, order

OPTIONS = {
    "router": {"value": "wifi6", "whmcs_option_id": 11, "whmcs_value": 113},
    "note": {"value": "ring twice", "whmcs_option_id": None, "whmcs_value": None},
}


@pytest.fixture(autouse=True)
def _marks(settings: Any) -> None:
    settings.WHMCS_MARK_FIELDS = {101: 9, 191: 10, 201: 11}


def lines(*items: Any) -> tuple[Line, ...]:
    return mapping.lines_of(order(items=items))


def service(number: int, pid: int) -> Service:
    return Service(number, 501, 7, pid, "", "Active", "monthly", Decimal(1), "", {})


def test_a_line_carries_product_cycle_price_options_and_mark() -> None:
    (line,) = lines(item(options=OPTIONS))
    assert (line.request.pid, line.request.cycle, line.request.quantity, line.request.price) == (
        101,
        "monthly",
        1,
        4730,
    )
    assert line.request.config_options == {11: 113}
    assert line.request.custom_fields == {9: ORDER}


@pytest.mark.parametrize(
    ("cycle", "item_class", "sent"),
    [
        ("Monthly", "Service", "monthly"),
        ("Annually", "Service", "annually"),
        ("One-time", "Service", "onetime"),
        ("Monthly", "Activation", "onetime"),
    ],
)
def test_the_cycle_is_whmcs_word_and_an_activation_is_always_once(cycle: str, item_class: str, sent: str) -> None:
    (line,) = lines(item(billing_cycle=cycle, item_class=item_class))
    assert line.request.cycle == sent


def test_each_sim_gets_a_line_of_its_own_and_other_things_a_quantity() -> None:
    sims = lines(item(category="SIM", whmcs_product_id="201", quantity=3))
    assert [line.request.quantity for line in sims] == [1, 1, 1]
    (many,) = lines(item(quantity=3))
    assert many.request.quantity == 3


def test_a_price_of_nothing_is_a_price() -> None:
    (line,) = lines(item(unit_price=0))
    assert line.request.price == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"whmcs_product_id": ""},
        {"whmcs_product_id": "12a"},
        {"billing_cycle": ""},
        {"billing_cycle": "Weekly"},
        {"options": {"router": "wifi6"}},
    ],
)
def test_what_cannot_be_mapped_names_item_and_product(wrong: dict[str, Any]) -> None:
    with pytest.raises(Failure, match=r"product_unmapped: item 802000000000001AAA \(INT-APT-1G\)"):
        lines(item(**wrong))


def test_an_order_without_items_cannot_be_mapped() -> None:
    with pytest.raises(Failure, match="product_unmapped"):
        lines()


def test_the_fingerprint_does_not_depend_on_the_order_of_items() -> None:
    assert mapping.fingerprint(lines(item(), activation())) == mapping.fingerprint(lines(activation(), item()))


@pytest.mark.parametrize(
    "change",
    [
        {"unit_price": 1},
        {"quantity": 2},
        {"billing_cycle": "Annually"},
        {"whmcs_product_id": "201"},
        {"options": OPTIONS},
    ],
)
def test_the_fingerprint_changes_with_everything_that_is_asked(change: dict[str, Any]) -> None:
    assert mapping.fingerprint(lines(item())) != mapping.fingerprint(lines(item(**change)))


def test_services_are_given_to_items_by_product_and_rising_id() -> None:
    first, second = item(), item(id="802000000000009AAA")
    services = [service(5, 101), service(3, 191), service(4, 101)]
    assert mapping.services_by_item(lines(first, activation(), second), services) == {
        first.id: 4,
        activation().id: 3,
        second.id: 5,
    }


@pytest.mark.parametrize(
    ("pids", "enough"), [([101, 191], True), ([101], False), ([101, 191, 201], False), ([], False)]
)
def test_an_order_holds_all_when_every_line_has_its_service_and_nothing_else_is_there(
    pids: list[int], enough: bool
) -> None:
    assert mapping.holds_all(lines(item(), activation()), pids) is enough


def test_the_request_names_the_order_in_its_notes() -> None:
    request = mapping.request_of(ORDER, 7, lines(item()))
    assert (request.client_id, request.notes) == (7, f"sfOrderId={ORDER}")
    assert replace(request, notes="") != request
