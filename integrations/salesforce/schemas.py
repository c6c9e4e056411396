"""What the portal reads from and writes to Salesforce, parsed at the edge. Field names: salesforce-org.md §5."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.salesforce import fields as f


@dataclass(frozen=True)
class AddressOnFile:
    """Where an Account is billed, as staff or an earlier system wrote it: any part may be empty or odd."""

    street: str = ""  # lines
    city: str = ""
    state: str = ""
    postal_code: str = ""
    phone: str = ""


@dataclass(frozen=True)
class ContactRecord:
    id: str
    email: str  # case-folded; may be empty


@dataclass(frozen=True)
class AccountRecord:
    """An Account with the people on it, the oldest first."""

    id: str
    number: str
    name: str
    whmcs_client: str  # WH_Account__c, empty when none
    portal_status: str
    contacts: tuple[ContactRecord, ...]
    internet_eligibility: str
    internet_eligibility_status: str
    identity_status: str
    internet_eligibility_requested_at: datetime | None = None  # whole seconds
    identity_message: str = ""  # why the papers were rejected, for the customer
    identity_submitted_at: datetime | None = None  # of the papers that the status is about
    on_file: AddressOnFile = AddressOnFile()  # from `account_by_number` alone

    def contact_of(self, email: str) -> str:
        """The id of the Contact with this address, whatever its case; empty when it is nobody's here."""
        wanted = email.casefold()
        return next((each.id for each in self.contacts if wanted and each.email == wanted), "")


@dataclass(frozen=True)
class ContactDetails:
    """What a customer says about themselves: names, e-mail and news of the Contact, phone and address of both.

    What is empty is left as it stands there.
    """

    given_name: str = ""
    family_name: str = ""  # empty: no name is written
    phone: str = ""  # E.164
    street: str = ""  # lines
    city: str = ""  # empty: no address is written
    state: str = ""  # the prefecture
    postal_code: str = ""
    email: str = ""
    news: bool | None = None  # whether news may be sent by e-mail


@dataclass(frozen=True)
class NewAccount:
    """What a new customer's Account and Contact are made from."""

    ref: str  # Portal_Ref__c of the Account; the Contact's is f"{ref}:contact"
    given_name: str
    family_name: str
    email: str
    registration_source: str
    number: str = ""  # SF_Account_No__c when SF_ACCOUNT_NO_SOURCE=portal


@dataclass(frozen=True)
class NewCheck:
    """A check of an address as customer support gets it."""

    ref: str  # Portal_Ref__c of the Case, and of the Opportunity when one is made
    account_id: str
    account_name: str
    opportunity_id: str  # empty: a new one is made
    close_date: str  # YYYY-MM-DD, Tokyo, for a new Opportunity
    subject: str
    description: str  # with the address
    requested_at: datetime  # aware


@dataclass(frozen=True)
class AskedCheck:
    case_id: str
    opportunity_id: str


@dataclass(frozen=True)
class CheckStanding:
    """What Salesforce holds before, or after, a check was asked for."""

    case_id: str  # of our reference; empty: it was not asked for yet
    opportunity_id: str  # of our reference, else the newest that fits; empty: none
    other_cases: tuple[str, ...]  # CaseNumbers of other open checks of the Account, oldest first


@dataclass(frozen=True)
class ProductRecord:
    """A Product2 row with its JPY entry in the portal's pricebook; values as they came, the sync judges them."""

    id: str
    fields: Mapping[str, Any]
    pricebook_entry_id: str
    unit_price: Any  # Decimal, or None without an active JPY entry
    changed_at: datetime | None = None  # the newer SystemModstamp of product and entry


@dataclass(frozen=True)
class CatalogueChanges:
    """What changed in the catalogue since a moment: products on offer as they are now, and those that are not."""

    offered: Sequence[ProductRecord]
    gone: frozenset[str]  # ids of changed products that are inactive or not in the catalogue, ours or not
    until: datetime | None  # the newest SystemModstamp seen; None when nothing changed


@dataclass(frozen=True)
class NewOrderItem:
    pricebook_entry_id: str
    quantity: int
    unit_price: int  # yen
    billing_cycle: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class NewOrder:
    """One Salesforce Order with its items and Opportunity, placed in one Composite (product.md §7)."""

    ref: str  # Portal_Ref__c
    account_id: str
    account_name: str
    commodity: str  # CommodityType__c
    opportunity_id: str  # empty: a new one is made
    correlation_id: str
    effective_date: str  # YYYY-MM-DD, Tokyo
    close_date: str  # YYYY-MM-DD, Tokyo, for a new Opportunity
    items: Sequence[NewOrderItem]


@dataclass(frozen=True)
class OpportunityRecord:
    """One Opportunity, as far as matching it with an order needs."""

    id: str
    stage: str
    commodity: str
    source: str  # Portal_Source__c; empty for one that a person made
    portal_ref: str
    created: datetime


@dataclass(frozen=True)
class PlacedOrder:
    id: str
    number: str  # OrderNumber
    opportunity_id: str
    item_ids: tuple[str, ...]  # in the order of NewOrder.items


@dataclass(frozen=True)
class ProvisionableItem:
    """One OrderItem as the worker reads it, product included."""

    id: str
    sku: str
    name: str
    item_class: str
    category: str
    billing_cycle: str
    quantity: int
    unit_price: int  # yen
    whmcs_product_id: str  # as it stands in Salesforce; may be empty or wrong
    options: Mapping[str, Any]
    whmcs_service_id: str
    esim_plan: str = ""  # the eSIM provider's plan, from the product's attributes


@dataclass(frozen=True)
class ProvisionableOrder:
    """What one query tells the worker about an order: guard, customer and items (performance.md §3)."""

    id: str
    number: str
    status: str
    activation_status: str
    last_idem_key: str
    attempt_count: int
    whmcs_order_id: int | None
    portal_ref: str
    account_id: str
    account_number: str
    whmcs_client: str
    identity_status: str
    opportunity_id: str
    items: tuple[ProvisionableItem, ...]


@dataclass(frozen=True)
class OrderChange:
    """An Order as the refresh mirrors it (decisions.md 14)."""

    id: str
    portal_ref: str
    number: str
    account_id: str
    opportunity_id: str
    status: str
    activation_status: str
    activation_error: str
    whmcs_order_id: int | None
    modstamp: datetime
    created: datetime
    correlation_id: str = ""
    items: tuple[ProvisionableItem, ...] | None = None  # None: a value of theirs cannot be used


@dataclass(frozen=True)
class OrderInReview:
    """An Order that its customer wants cancelled, with its Opportunity (decisions.md 15)."""

    order: OrderChange
    opportunity: OpportunityRecord | None

    @property
    def waits(self) -> bool:
        """Nobody has approved or cancelled it yet."""
        return self.order.status in f.IN_REVIEW and self.order.activation_status in {"", "Pending Review"}


@dataclass(frozen=True)
class ActivatingOrder:
    """An Order that stands in Activating, as the reconciler looks at it."""

    id: str
    idem_key: str
    correlation_id: str
    modstamp: datetime


@dataclass(frozen=True)
class CancelledOrder:
    """An Order that stands Cancelled; `modstamp` is when it was last saved."""

    id: str
    modstamp: datetime


@dataclass(frozen=True)
class OrderOutcome:
    """What is written back for one attempt (decisions.md 25)."""

    order_id: str
    idem_key: str  # compared with Last_Idem_Key__c; empty: only the status is compared
    provisioned: bool
    attempt_count: int
    at: datetime
    error: str = ""  # "code: cause", at most 255 characters, no personal data
    replaces: datetime | None = None  # `at` of an earlier Failed of the same attempt, which this one may replace
    whmcs_order_id: int | None = None
    services: Mapping[str, int] = field(default_factory=dict)  # OrderItem id -> WHMCS service id
    opportunity_id: str = ""
    opportunity_service_id: int | None = None
    with_opportunity: bool = True
    iccid: str = ""  # of the eSIM, where the order has one
