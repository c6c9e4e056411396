"""Reasons to hide a product that its own record does not show: what the rest of the catalogue and WHMCS have."""

from collections import Counter
from collections.abc import Mapping, Sequence

from django.conf import settings

from catalog.models import Product, WhmcsProduct
from catalog.records import Draft


def judge(drafts: Sequence[Draft], billing: Mapping[int, WhmcsProduct]) -> None:
    """Writes into each draft what is wrong with it beside the others.

    `billing` is what WHMCS was last seen to sell, by product id; empty while it was never read, and then nothing is
    said about it.
    """
    times = Counter(each.sku for each in drafts if each.sku)
    for each in drafts:
        if times[each.sku] > 1:
            each.others.append(f"StockKeepingUnit: {each.sku} belongs to {times[each.sku]} products")
        if billing and (reason := _not_in_billing(each.columns["whmcs_product_id"], billing)):
            each.others.append(f"WHMCS_Product_Id__c: {reason}")
    _judge_activations(drafts)


def _not_in_billing(pid: int | None, billing: Mapping[int, WhmcsProduct]) -> str:
    if pid is None:
        return ""  # a fault of its own
    if pid not in billing:
        return f"WHMCS has no product {pid}"
    if pid not in settings.WHMCS_MARK_FIELDS and billing[pid].mark_field_id is None:
        return f'product {pid} has no custom field "{settings.WHMCS_MARK_FIELD_NAME}" in WHMCS'
    return ""


def _judge_activations(drafts: Sequence[Draft]) -> None:
    """After everything else: an activation item that may not be charged hides the plans that need it.

    It is charged once, whatever its record says (WHMCS gets `onetime`), and is one of the plan's own family.
    """
    activations = [each for each in drafts if each.columns["item_class"] == Product.ItemClass.ACTIVATION]
    for each in activations:
        if each.columns["billing_cycle"] not in {"", Product.BillingCycle.ONE_TIME}:
            each.others.append("Billing_Cycle__c: an activation item is One-time")
    families = {each.sku: each.columns["category"] for each in activations if each.sku and not each.broken}
    for each in drafts:
        wanted = each.columns["activation_sku"]
        if wanted and wanted not in families:
            each.others.append(f"Portal_Activation_SKU__c: {wanted} is not a sound activation item")
        elif wanted and families[wanted] != each.columns["category"]:
            each.others.append(f"Portal_Activation_SKU__c: {wanted} is the activation item of {families[wanted]}")
