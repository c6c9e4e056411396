"""What stands in the org when it is first switched on: users, the catalogue with its prices, legacy customers."""

import json
from pathlib import Path
from typing import Any

from sandbox import catalogue
from sandbox.catalogue import CatalogueProduct
from sandbox.salesforce import ids
from sandbox.salesforce.orders import category
from sandbox.salesforce.org import Org

INTEGRATION_USERNAME = "portal.integration@sonixnet.example"
AGENT_USERNAME = "carol.suzuki@sonixnet.example"
STANDARD_PRICEBOOK = "Standard Price Book"
_SOURCE = Path(__file__).with_name("seed.json")


def seed(org: Org, *, shop: bool) -> None:
    """Fill an empty org: setup, users and the standard price book; with `shop` all that is sold, and old customers."""
    source: dict[str, Any] = json.loads(_SOURCE.read_text(encoding="utf-8"))
    # The first user stands as its own creator: there is nobody before it.
    creator = ids.make("005", 1)
    with org.store.transaction():
        org.insert(org.schema["User"], source["users"][0], creator)
        for user in source["users"][1:]:
            org.insert(org.schema["User"], user, creator)
        org.insert(org.schema["Organization"], source["organization"], creator)
        _seed_setup(org, source, creator)
        pricebook = {"Name": STANDARD_PRICEBOOK, "IsActive": True, "IsStandard": True}
        standard = org.insert(org.schema["Pricebook2"], pricebook, creator)
        if shop:
            _seed_catalogue(org, standard, creator)
        for customer in source["customers"] if shop else ():
            _seed_customer(org, customer, org.user_named(AGENT_USERNAME))


def _seed_setup(org: Org, source: dict[str, Any], user_id: str) -> None:
    """What an administrator sets up rather than keeps: profiles, currencies, the statuses of orders."""
    for profile in source["profiles"]:
        profile_id = org.insert(org.schema["Profile"], {"Name": profile["Name"]}, user_id)
        for username in profile["usernames"]:
            org.derive("User", org.user_named(username), {"ProfileId": profile_id})
    for currency in source["currencies"]:
        org.insert(org.schema["CurrencyType"], {**currency, "IsActive": True}, user_id)
    for place, status in enumerate(org.schema["Order"].fields["status"].values, start=1):
        fields = {"MasterLabel": status, "ApiName": status, "SortOrder": place, "StatusCode": category(status)}
        org.insert(org.schema["OrderStatus"], {**fields, "IsDefault": place == 1}, user_id)


def _seed_catalogue(org: Org, standard: str, user_id: str) -> None:
    sold = catalogue.load()
    portal = org.create("Pricebook2", {"Name": sold.pricebook, "IsActive": True}, user_id)
    for product in sold.products:
        product_id = org.create("Product2", _product_fields(product), user_id)
        for pricebook_id in (standard, portal):
            entry = {
                "Pricebook2Id": pricebook_id,
                "Product2Id": product_id,
                "UnitPrice": product.price,
                "CurrencyIsoCode": sold.currency,
                "IsActive": True,
            }
            org.create("PricebookEntry", entry, user_id)


def _product_fields(product: CatalogueProduct) -> dict[str, Any]:
    options = [option.raw for option in product.options]
    return {
        "Name": product.name.en,
        "ProductCode": product.sku,
        "StockKeepingUnit": product.sku,
        "Description": product.description.en,
        "IsActive": True,
        "Family": product.category,
        "Billing_Cycle__c": product.cycle,
        "Item_Class__c": product.item_class,
        "Portal_Accessible__c": True,
        "Portal_Activation_SKU__c": product.activation_sku,
        "Portal_Attributes_JSON__c": _json(product.attributes),
        "Portal_Catalog__c": True,
        "Portal_ConfigOptions_JSON__c": _json(options),
        "Portal_Description_JA__c": product.description.ja,
        "Portal_Display_Order__c": product.display_order,
        "Portal_Eligibility_Values__c": "\n".join(product.eligibility),
        "Portal_Identity__c": product.identity,
        "Portal_Name_JA__c": product.name.ja,
        "Product2Categories1__c": product.category,
        "WHMCS_Product_Id__c": str(product.whmcs_pid),
    }


def _json(value: Any) -> str | None:
    return json.dumps(value, ensure_ascii=False) if value else None


def _seed_customer(org: Org, customer: dict[str, Any], user_id: str) -> None:
    account_id = org.create("Account", customer["account"], user_id)
    org.create("Contact", {"AccountId": account_id, **customer["contact"]}, user_id)
