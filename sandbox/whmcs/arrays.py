"""Parameters that carry base64 of a serialised array (whmcs-wire §0 no. 8, §1.4)."""

import math

from sandbox.whmcs import serialized
from sandbox.whmcs.php import PhpValue

_SHORTEST_WITH_EXPONENT = 1e15


def encoded_array(value: PhpValue | None) -> serialized.Array:
    """The array in one encoded string; what cannot be decoded, or is no string, counts as not sent (§1.4)."""
    if not isinstance(value, str) or not value:
        return {}
    try:
        return serialized.decode(value)
    except serialized.NotSerialized:
        return {}


def field_values(value: PhpValue | None) -> dict[int, str]:
    """Custom field values by field id; entries that are no scalar under a numeric id are dropped."""
    found = encoded_array(value).items()
    return {key: _text(each) for key, each in found if isinstance(key, int) and not isinstance(each, dict)}


def _text(value: serialized.Scalar) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, float):
        return _float_text(value)
    return "" if value is None else str(value)


def _float_text(value: float) -> str:
    """A float as PHP writes it into a string: `1`, `1.5`, `1.0E+25`."""
    if not math.isfinite(value):
        return "NAN" if math.isnan(value) else "INF" if value > 0 else "-INF"
    if value == int(value) and abs(value) < _SHORTEST_WITH_EXPONENT:
        return f"{value:.0f}"
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa}{'' if '.' in mantissa else '.0'}E{int(exponent):+d}" if exponent else mantissa
