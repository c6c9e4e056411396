"""Parameters as an independent implementation of PHP's serialize() writes them."""

import base64
from typing import Any

import phpserialize


def packed(value: dict[Any, Any]) -> str:
    """base64(serialize($value))"""
    return base64.b64encode(phpserialize.dumps(value)).decode()
