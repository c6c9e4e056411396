"""Reading what a call that holds others was sent: objects of known properties, each of its type (section 3.6)."""

from collections.abc import Collection
from typing import Any

from sandbox.salesforce.errors import ApiError, unreadable


def properties(value: Any, known: Collection[str]) -> dict[str, Any]:
    """The value as an object that has none but the known properties. Raises ApiError JSON_PARSER_ERROR."""
    if not isinstance(value, dict):
        raise unreadable("object", value)
    for name in value:
        if name not in known:
            raise ApiError("JSON_PARSER_ERROR", f'Unrecognized field "{name}"')
    return value


def flag(row: dict[str, Any], name: str) -> bool:
    """An optional boolean, false when absent. Raises ApiError JSON_PARSER_ERROR."""
    value = row.get(name)
    if value is not None and not isinstance(value, bool):
        raise unreadable("boolean", value)
    return bool(value)


def text(row: dict[str, Any], name: str) -> str:
    """A required string. Raises ApiError JSON_PARSER_ERROR."""
    value = row.get(name)
    if value is None:
        raise ApiError("JSON_PARSER_ERROR", f'Missing required field "{name}"')
    if not isinstance(value, str):
        raise unreadable("string", value)
    return value


def listed(row: dict[str, Any], name: str) -> list[Any]:
    """A list, empty when absent. Raises ApiError JSON_PARSER_ERROR."""
    value = row.get(name)
    if value is not None and not isinstance(value, list):
        raise unreadable("list", value)
    return value or []


def texts(row: dict[str, Any], name: str) -> dict[str, str]:
    """An object of strings, empty when absent. Raises ApiError JSON_PARSER_ERROR."""
    value = row.get(name)
    if value is not None and not isinstance(value, dict):
        raise unreadable("map", value)
    return {key: text(value, key) for key in value} if value else {}
