"""What the worker must know of WHMCS' products: the id of each one's mark field, and which have no module.

Asked for rarely and shared by all processes; the settings' WHMCS_MARK_FIELDS wins (decisions.md 21).
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache

from integrations import gateway

KEY, KEPT_S = "provisioning:whmcs-products", 3600


@dataclass(frozen=True)
class KnownProduct:
    mark_field: int | None
    has_module: bool


def mark_field(pid: int) -> int | None:
    """The id of the product's mark field; None when the product or the field is not there. May ask WHMCS."""
    if pid in settings.WHMCS_MARK_FIELDS:
        return int(settings.WHMCS_MARK_FIELDS[pid])
    known = _known().get(pid)
    if known is None or known.mark_field is None:  # staff may have mended it a minute ago
        known = _asked().get(pid)
    return known.mark_field if known else None


def has_module(pid: int) -> bool:
    """Whether accepting an order sets the product up by a module, as known for up to an hour. May ask WHMCS."""
    product = _known().get(pid) or _asked().get(pid)
    return product is None or product.has_module


def without_module_now(pids: Collection[int]) -> frozenset[int]:
    """Those of these products that have no module at this moment, whatever was known of them. Asks WHMCS once."""
    products = _asked()
    return frozenset(pid for pid in pids if pid in products and not products[pid].has_module)


def _known() -> dict[int, KnownProduct]:
    return cache.get(KEY) or {}


def _asked() -> dict[int, KnownProduct]:
    found = {
        product.pid: KnownProduct(product.custom_fields.get(settings.WHMCS_MARK_FIELD_NAME), bool(product.module))
        for product in gateway.whmcs().catalogue()
    }
    cache.set(KEY, found, KEPT_S)
    return found
