"""What the worker must know of WHMCS' products: the id of each one's mark field, and which have no module.

Asked for rarely and shared by all processes; the settings' WHMCS_MARK_FIELDS wins (decisions.md 21).
"""

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
    product = _find(pid)
    return product.mark_field if product else None


def has_module(pid: int) -> bool:
    """Whether accepting an order sets the product up by a module. May ask WHMCS."""
    product = _find(pid)
    return product is None or product.has_module


def _find(pid: int) -> KnownProduct | None:
    known: dict[int, KnownProduct] = cache.get(KEY) or {}
    if pid not in known:
        known = _ask()
        cache.set(KEY, known, KEPT_S)
    return known.get(pid)


def _ask() -> dict[int, KnownProduct]:
    return {
        product.pid: KnownProduct(product.custom_fields.get(settings.WHMCS_MARK_FIELD_NAME), bool(product.module))
        for product in gateway.whmcs().catalogue()
    }
