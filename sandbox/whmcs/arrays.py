"""Parameters that carry base64 of a serialised array (whmcs-wire §0 no. 8, §1.4)."""

from sandbox.whmcs import serialized
from sandbox.whmcs.php import PhpValue


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
    return "" if value is None else str(value)
