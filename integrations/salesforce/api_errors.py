"""What Salesforce's error codes mean for us (salesforce-wire.md §3.1)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from integrations.errors import Misconfigured, OutsideError, Rejected, Unavailable
from integrations.masking import harmless

HALTED = {"PROCESSING_HALTED", "ALL_OR_NONE_OPERATION_ROLLED_BACK"}
SESSION_ENDED = "INVALID_SESSION_ID"
WAIT = {
    "REQUEST_LIMIT_EXCEEDED": ("sf_limit", "The org's API requests are used up for now."),
    "UNABLE_TO_LOCK_ROW": ("row_locked", "Somebody else is saving the same record."),
    "SERVER_UNAVAILABLE": ("sf_unavailable", "Salesforce is overloaded or in maintenance."),
    "UNKNOWN_EXCEPTION": ("sf_error", "Salesforce had an error of its own."),
    "QUERY_TIMEOUT": ("query_timeout", "The query took too long."),
    "INVALID_QUERY_LOCATOR": ("query_locator", "The rest of a long answer is gone; the query starts anew."),
}
MEND = {
    "MALFORMED_QUERY": "Salesforce does not understand a query of ours; its API version or the org's fields differ.",
    "INVALID_FIELD": "A field is missing in the org, or the integration user may not see it: {message}",
    "INVALID_TYPE": "An object is missing in the org, or the integration user may not see it: {message}",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "The integration user may not write a field: {fields}.",
    "JSON_PARSER_ERROR": "Salesforce does not understand a request of ours: {message}",
    "METHOD_NOT_ALLOWED": "Salesforce does not allow a request of ours: check SF_API_VERSION.",
    "UNSUPPORTED_MEDIA_TYPE": "Salesforce does not allow a request of ours: check SF_API_VERSION.",
    "INSUFFICIENT_ACCESS": "The integration user lacks a permission: assign the permission set Portal_Integration.",
    "INSUFFICIENT_ACCESS_OR_READONLY": "The integration user may not write it: check its permissions, and locks.",
    "API_DISABLED_FOR_ORG": "The API is switched off for the org or for the integration user.",
    "API_CURRENTLY_DISABLED": "The API is switched off for the org or for the integration user.",
    "FUNCTIONALITY_NOT_ENABLED": "The org lacks a feature the portal needs: {message}",
}
# Others' messages may quote what was sent, so only the fields are kept of them.
TELLING = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    "REQUIRED_FIELD_MISSING",
    "DUPLICATE_VALUE",
    "FAILED_ACTIVATION",
    "FIELD_INTEGRITY_EXCEPTION",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    "CANNOT_EXECUTE_FLOW_TRIGGER",
    "ENTITY_IS_LOCKED",
}


class SessionEnded(Exception):
    """The token is dead; nothing was done."""


def first_error(content: Any) -> Mapping[str, Any] | None:
    """The first error of Salesforce's array, or None when the body is none of its making (HTML, another shape)."""
    if isinstance(content, Sequence) and not isinstance(content, str) and content:
        error = content[0]
        if isinstance(error, Mapping) and _code(error):
            return error
    return None


def is_halted(error: Mapping[str, Any]) -> bool:
    """Whether this part failed only because another did."""
    return _code(error) in HALTED


def meaning(operation: str, error: Mapping[str, Any]) -> OutsideError:
    """The error to raise for a definite answer of Salesforce; nothing was done. The code is theirs in lower case."""
    code, message = _code(error), harmless(str(error.get("message", "")))
    fields = ", ".join(str(name) for name in error.get("fields") or ())
    if code in WAIT:
        return Unavailable("salesforce", operation, *WAIT[code])
    if code in MEND:
        sentence = MEND[code].format(message=message, fields=fields or "unnamed")
        return Misconfigured("salesforce", operation, code.lower(), sentence)
    return Rejected("salesforce", operation, code.lower(), message if code in TELLING else fields)


def _code(error: Mapping[str, Any]) -> str:
    """`errorCode`, or `statusCode` in Collections; a word in capitals or nothing."""
    code = str(error.get("errorCode") or error.get("statusCode") or "")
    return code if re.fullmatch(r"[A-Z][A-Z0-9_]{2,60}", code) else ""
