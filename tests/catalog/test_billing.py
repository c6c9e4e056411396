"""What WHMCS has of our products: mark fields, prices, and what becomes of products it does not know."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from catalog import billing, jobs
from catalog.mirror import WouldEmpty
from catalog.models import CatalogSync, Product, WhmcsProduct
from catalog.queries import shelf, version
from catalog.sync import sync
from integrations import gateway
from integrations.errors import Unavailable
from integrations.whmcs.schemas import CatalogueProduct
from sandbox import catalogue
from tests.catalog.goods import PID, Shop, products

MARK = "Salesforce Order Id"


def in_whmcs() -> dict[int, CatalogueProduct]:
    """The shop's products as WHMCS sells them."""
    return {
        each.whmcs_pid: CatalogueProduct(
            pid=each.whmcs_pid,
            name=each.name.en,
            module="sonixprov",
            monthly=None if each.cycle == "Annually" else Decimal(each.price),
            annually=Decimal(each.price) if each.cycle == "Annually" else None,
            custom_fields={MARK: 5000 + each.whmcs_pid},
        )
        for each in catalogue.load().products
    }


@dataclass
class Whmcs:
    """WHMCS' side of the catalogue; a test changes `products` and reads them again."""

    products: dict[int, CatalogueProduct] = field(default_factory=in_whmcs)
    error: Exception | None = None
    calls: int = 0

    def catalogue(self) -> list[CatalogueProduct]:
        self.calls += 1
        if self.error:
            raise self.error
        return list(self.products.values())

    def edit(self, sku: str, **changes: Any) -> None:
        self.products[PID[sku]] = replace(self.products[PID[sku]], **changes)


@pytest.fixture
def whmcs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Whmcs:
    double = Whmcs()
    monkeypatch.setattr(gateway, "whmcs", lambda: double)
    return double


def differing() -> list[str]:
    return [product.sku for product in billing.priced_differently(Product.objects.all())]


def plans() -> list[str]:
    return [plan.sku for plan in shelf("VPN").plans]


def test_one_call_keeps_what_whmcs_has_and_finds_nothing_wrong(whmcs: Whmcs) -> None:
    assert billing.read() == {"changed": 0}
    assert differing() == []
    assert whmcs.calls == 1
    assert WhmcsProduct.objects.count() == len(whmcs.products)
    assert not CatalogSync.objects.filter(kind="billing").exists()


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda whmcs: whmcs.edit("VPN-US", custom_fields={}), f'has no custom field "{MARK}" in WHMCS'),
        (lambda whmcs: whmcs.edit("VPN-US", custom_fields={"Other": 1}), f'has no custom field "{MARK}" in WHMCS'),
        (lambda whmcs: whmcs.products.pop(PID["VPN-US"]), "WHMCS has no product"),
    ],
)
def test_a_product_that_could_not_be_marked_is_hidden_until_it_can(
    shop: Shop, whmcs: Whmcs, break_it: Callable[[Whmcs], None], reason: str
) -> None:
    sold, before = dict(whmcs.products), version()
    break_it(whmcs)
    billing.read()
    assert reason in "; ".join(products()["VPN-US"].broken)
    assert plans() == ["VPN-UK"]
    assert version() > before, "pages that browsers keep are told"
    shop.edit("VPN-UK", price=Decimal("605"))
    assert list(sync(full=False).broken) == ["VPN-US"], "a sync keeps what WHMCS was seen to lack"
    assert list(sync().broken) == ["VPN-US"]
    whmcs.products = sold
    billing.read()
    assert plans() == ["VPN-US", "VPN-UK"]


def test_a_mark_field_named_by_the_settings_needs_none_found(whmcs: Whmcs, settings: Any) -> None:
    settings.WHMCS_MARK_FIELDS = {PID["VPN-US"]: 77}
    whmcs.edit("VPN-US", custom_fields={})
    billing.read()
    assert plans() == ["VPN-US", "VPN-UK"]


def test_an_activation_without_a_mark_field_hides_its_plans(whmcs: Whmcs) -> None:
    whmcs.edit("ACT-VPN", custom_fields={})
    billing.read()
    assert plans() == []


def test_before_whmcs_was_read_nothing_is_said_about_it(shop: Shop) -> None:
    assert sync().broken == {}
    assert differing() == []


@pytest.mark.parametrize(
    ("sku", "changes"),
    [
        ("VPN-US", {"monthly": Decimal("551.00")}),
        ("VPN-US", {"monthly": None, "annually": Decimal("550.00")}),
        ("INT-APT-1G", {"monthly": Decimal("4730.50")}),
        ("SIM-VISITOR-20", {"monthly": Decimal("0")}),
    ],
)
def test_another_price_in_whmcs_is_shown_and_the_product_stays_on_sale(
    whmcs: Whmcs, sku: str, changes: dict[str, Any]
) -> None:
    whmcs.edit(sku, **changes)
    assert billing.read() == {"changed": 0}
    assert differing() == [sku]
    assert products()[sku].broken == []


def test_a_withdrawn_product_differs_from_nothing(shop: Shop, whmcs: Whmcs) -> None:
    whmcs.edit("VPN-US", monthly=Decimal("1"))
    billing.read()
    shop.drop("VPN-US")
    sync()
    assert differing() == []


@pytest.mark.django_db(transaction=True)
def test_an_outage_of_whmcs_leaves_everything_as_it_was(whmcs: Whmcs) -> None:
    billing.read()
    whmcs.error = Unavailable("whmcs", "GetProducts", "timeout")
    with pytest.raises(Unavailable):
        billing.read()
    assert WhmcsProduct.objects.count() == len(whmcs.products)
    assert plans() == ["VPN-US", "VPN-UK"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("answer", [{}, {9: CatalogueProduct(9, "odd", "", None, None, {})}])
def test_an_answer_that_would_empty_the_shop_is_not_believed(whmcs: Whmcs, answer: dict[int, CatalogueProduct]) -> None:
    billing.read()
    known = len(whmcs.products)
    whmcs.products = answer
    with pytest.raises(WouldEmpty):
        billing.read()
    assert WhmcsProduct.objects.count() == known
    assert plans() == ["VPN-US", "VPN-UK"]


@pytest.mark.django_db(transaction=True)
def test_the_job_asks_once_and_not_again_at_once(whmcs: Whmcs) -> None:
    jobs.read_billing()
    jobs.read_billing()
    assert whmcs.calls == 1
