"""Salesforce's own way of saying no (salesforce-wire.md, section 3.1)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# A code seen without an entry here is a 400, like nearly everything.
_STATUS = {
    "INVALID_SESSION_ID": 401,
    "REQUEST_LIMIT_EXCEEDED": 403,
    "FUNCTIONALITY_NOT_ENABLED": 403,
    "INSUFFICIENT_ACCESS": 403,
    "INSUFFICIENT_ACCESS_OR_READONLY": 403,
    "NOT_FOUND": 404,
    "ENTITY_IS_DELETED": 404,
    "METHOD_NOT_ALLOWED": 405,
    "NOT_ACCEPTABLE": 406,
    "UNSUPPORTED_API_VERSION": 410,
    "EXCEEDED_MAX_SIZE_REQUEST": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "URI_TOO_LONG": 414,
}


class ApiError(Exception):
    """A refusal with Salesforce's error code, its message, the fields it is about (None: not mentioned), the HTTP
    status (None: the one that goes with the code), and what else stands in the error."""

    def __init__(
        self,
        code: str,
        message: str,
        fields: Sequence[str] | None = None,
        *,
        status: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = fields
        self.extra = dict(extra or {})
        self.status = status or _STATUS.get(code, 400)

    def body(self) -> list[dict[str, Any]]:
        """The array every endpoint but OAuth and Collections answers with."""
        error: dict[str, Any] = {**self.extra, "message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = list(self.fields)
        return [error]

    def in_collection(self) -> dict[str, Any]:
        """One error of a Collections or event result, where the code is called `statusCode`."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields or ())}


def not_found() -> ApiError:
    """No such resource, or not one this user may see: the service does not tell which."""
    return ApiError("NOT_FOUND", "The requested resource does not exist")


def method_not_allowed(method: str, allowed: Iterable[str]) -> ApiError:
    """The resource is there, but not for this method."""
    message = f"HTTP Method '{method}' not allowed. Allowed are {','.join(allowed)}"
    return ApiError("METHOD_NOT_ALLOWED", message)


def unreadable(wanted: str, value: Any) -> ApiError:
    """A JSON value of another type than the `wanted` one."""
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    message = (
        f"Cannot deserialize instance of {wanted} from {_token(value)} value {shown} or request may be missing a "
        "required field"
    )
    return ApiError("JSON_PARSER_ERROR", message)


def _token(value: Any) -> str:
    """How the service's parser calls what it met."""
    if isinstance(value, bool):
        return "VALUE_TRUE" if value else "VALUE_FALSE"
    tokens = {
        str: "VALUE_STRING",
        int: "VALUE_NUMBER_INT",
        float: "VALUE_NUMBER_FLOAT",
        dict: "START_OBJECT",
        list: "START_ARRAY",
    }
    return tokens.get(type(value), "VALUE_NULL")
