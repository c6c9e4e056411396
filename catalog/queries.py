"""What pages and flows ask of the mirror. No remote call is made here."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from accounts.models import CustomerLink
from catalog.families import FAMILIES, Family, Text
from catalog.models import CatalogSync, Product

BEING_CHECKED = "Pending"  # Internet_Eligibility_Status__c


@dataclass(frozen=True)
class FamilyPrice:
    """A family with its cheapest plan's price in yen, tax included (None: nothing is for sale just now)."""

    family: Family
    price: int | None
    billing_cycle: str
    is_only: bool  # every plan costs this much: the page says no "from"

    @property
    def slug(self) -> str:
        return self.family.slug

    @property
    def name(self) -> Text:
        return self.family.name

    @property
    def sentence(self) -> Text:
        return self.family.sentence

    @property
    def icon(self) -> str:
        return self.family.icon


@dataclass(frozen=True)
class Shelf:
    """What one family sells: plans in display order, their add-ons, and the activation items by SKU."""

    plans: tuple[Product, ...]
    add_ons: tuple[Product, ...]
    fees: dict[str, Product]

    def fee_of(self, plan: Product) -> Product | None:
        """The activation item that always goes with `plan`; None when it has none."""
        return self.fees.get(plan.activation_sku)

    def plan(self, sku: str) -> Product | None:
        return next((plan for plan in self.plans if plan.sku == sku), None)


def sound() -> QuerySet[Product]:
    """Products in the catalogue that nothing is wrong with; activation items among them are never bought alone."""
    return Product.objects.filter(withdrawn_at=None, broken=[])


def shelf(category: str) -> Shelf:
    """What customers see of a family, in one query."""
    products = list(sound().filter(category=category).order_by("display_order", "sku"))
    buyable = [product for product in products if product.accessible]
    return Shelf(
        plans=tuple(product for product in buyable if product.item_class == Product.ItemClass.SERVICE),
        add_ons=tuple(product for product in buyable if product.item_class == Product.ItemClass.ADD_ON),
        fees={product.sku: product for product in products if product.item_class == Product.ItemClass.ACTIVATION},
    )


def once_sold(category: str, sku: str) -> Product | None:
    """The plan of a family that had this SKU last and is not for sale: withdrawn, hidden or not accessible."""
    plans = Product.objects.filter(category=category, item_class=Product.ItemClass.SERVICE, sku=sku)
    return plans.order_by(F("withdrawn_at").desc(nulls_first=True), "-pk").first()


def families() -> tuple[FamilyPrice, ...]:
    """The three families with their cheapest prices, in one query; for the home and catalogue pages."""
    of_price = sound().only("category", "price", "billing_cycle").order_by("price")
    plans = list(of_price.filter(item_class=Product.ItemClass.SERVICE, accessible=True))
    return tuple(_priced(family, [plan for plan in plans if plan.category == family.category]) for family in FAMILIES)


def _priced(family: Family, plans: list[Product]) -> FamilyPrice:
    monthly = [plan for plan in plans if plan.is_monthly] or plans
    if not monthly:
        return FamilyPrice(family, None, "", is_only=True)
    cheapest = monthly[0]
    return FamilyPrice(
        family, cheapest.price, cheapest.billing_cycle, is_only=all(plan.price == cheapest.price for plan in plans)
    )


def by_sku(skus: Iterable[str]) -> dict[str, Product]:
    """Sound products of these SKUs and the activation items that go with them, in one query."""
    wanted = sorted(set(skus))
    fees = sound().filter(sku__in=wanted).exclude(activation_sku="").values("activation_sku")
    return {product.sku: product for product in sound().filter(Q(sku__in=wanted) | Q(sku__in=fees))}


def offered_to(product: Product, link: CustomerLink | None) -> bool:
    """Whether this customer's address allows the plan (decisions.md 9): no values means everybody.

    `link` must be None for a provisional link: what such an Account says counts as absent.
    """
    return not product.eligibility_values or checked_answer(link) in product.eligibility_values


def checked_answer(link: CustomerLink | None) -> str:
    """What support found at the customer's address (Internet_Eligibility__c); empty while nobody has looked.

    While another check is under way the earlier answer counts no more: it is about another address.
    """
    if link is None or link.internet_eligibility_status == BEING_CHECKED:
        return ""
    return link.internet_eligibility


def plans_for(answer: str) -> list[Product]:
    """The plans that are for sale only where the line reaches and that `answer` (Internet_Eligibility__c) opens.

    One query, none for an empty answer.
    """
    plans = shelf(Product.Category.INTERNET).plans if answer else ()
    return [plan for plan in plans if answer in plan.eligibility_values]


def plan_pids(categories: Iterable[str]) -> dict[str, set[int]]:
    """Category -> WHMCS product ids of every plan there ever was in the mirror, withdrawn ones too, in one query."""
    wanted = set(categories)
    plans = Product.objects.filter(category__in=wanted, item_class=Product.ItemClass.SERVICE)
    pids = list(plans.values_list("category", "whmcs_product_id"))
    return {category: {pid for of, pid in pids if of == category and pid is not None} for category in wanted}


def version() -> int:
    """A number that changes whenever the mirror does; pages that browsers keep are checked by it.

    Runs are written under the mirror's lock: their keys are in the order of their commits, their starts are not.
    """
    return CatalogSync.objects.filter(changed=True).order_by("-pk").values_list("pk", flat=True).first() or 0
