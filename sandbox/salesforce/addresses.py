"""Addresses as one field: what an answer shows for `BillingAddress` and its like, made of the fields around it."""

from typing import Any

from sandbox.store import Record

_PARTS = ("City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State", "Street")


def compose(field: str, record: Record) -> dict[str, Any] | None:
    """The parts by their names in JSON; None when the record has none of them."""
    prefix = field.removesuffix("Address")
    parts = {f"{part[0].lower()}{part[1:]}": record.get(f"{prefix}{part}") for part in _PARTS}
    return parts if any(value is not None for value in parts.values()) else None
