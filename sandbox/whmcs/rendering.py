"""The answer as bytes, in each response type (whmcs-wire §1)."""

import re
from typing import Any
from xml.sax.saxutils import escape

from sandbox.whmcs.answers import Payload
from sandbox.whmcs.php import json_encode
from sandbox.whmcs.quirks.switches import Quirks

VERSION = "8.13.1"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NOTICE = (
    b"<br />\n<b>Notice</b>:  Undefined index: language in <b>/home/whmcs/public_html/includes/hooks/portal.php</b>"
    b" on line <b>12</b><br />\n"
)
_NO_NAME = re.compile(r"[^\w.-]|^(?=[\d.-])", re.ASCII)
# What XML 1.0 has no way to write.
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def rendered(payload: Payload, response_type: str, action: str, quirks: Quirks) -> tuple[bytes, str]:
    """Body and content type. Without a known response type the legacy `key=value;` text comes (§1)."""
    body, content_type = _written(payload, response_type.lower(), action.lower())
    raw = body.encode("utf-8", "replace")
    if quirks.php_notice:
        raw = _NOTICE + raw
    if quirks.byte_order_mark:
        raw = _BYTE_ORDER_MARK + raw
    return raw, "text/html; charset=utf-8" if quirks.content_type == "html" else content_type


def _written(payload: Payload, kind: str, action: str) -> tuple[str, str]:
    if kind == "json":
        return json_encode(payload), "application/json"
    if kind == "xml":
        inner = "".join(_xml(key, value) for key, value in {"action": action, **payload}.items())
        root = f'<whmcsapi version="{VERSION}">\n{inner}</whmcsapi>'
        return f'<?xml version="1.0" encoding="utf-8"?>\n{root}', "application/xml; charset=utf-8"
    return "".join(f"{name}={value};" for name, value in _flat("", payload)), "text/html; charset=utf-8"


def _xml(name: str, value: Any) -> str:
    """An element; a list is its element as often as it has rows, and not there at all without any."""
    if isinstance(value, list):
        return "".join(_xml(name, each) for each in value)
    tag = _NO_NAME.sub("_", name)
    if isinstance(value, dict):
        inner = "".join(_xml(key, each) for key, each in value.items())
        return f"<{tag}>\n{inner}</{tag}>\n"
    return f"<{tag}>{escape(_NO_XML.sub('', _plain(value)))}</{tag}>\n"


def _flat(prefix: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [pair for key, each in items for pair in _flat(f"{prefix}[{key}]" if prefix else str(key), each)]
    return [(prefix, _plain(value))]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return "" if value is None else str(value)
