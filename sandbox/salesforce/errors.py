"""Salesforce's own way of saying no (salesforce-wire.md, section 3.1)."""

from collections.abc import Sequence
from typing import Any

# A code seen without an entry here is a 400, like nearly everything.
_STATUS = {
    "INVALID_SESSION_ID": 401,
    "REQUEST_LIMIT_EXCEEDED": 403,
    "INSUFFICIENT_ACCESS": 403,
    "INSUFFICIENT_ACCESS_OR_READONLY": 403,
    "NOT_FOUND": 404,
    "ENTITY_IS_DELETED": 404,
    "METHOD_NOT_ALLOWED": 405,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "URI_TOO_LONG": 414,
}


class ApiError(Exception):
    """A refusal with Salesforce's error code, its message, and the fields it is about (None: not mentioned)."""

    def __init__(self, code: str, message: str, fields: Sequence[str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = fields

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return _STATUS.get(self.code, 400)

    def body(self) -> list[dict[str, Any]]:
        """The array every endpoint but OAuth and Collections answers with."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = list(self.fields)
        return [error]

    def in_collection(self) -> dict[str, Any]:
        """One error of a Collections or event result, where the code is called `statusCode`."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields or ())}


def not_found() -> ApiError:
    """No such resource, or not one this user may see: the service does not tell which."""
    return ApiError("NOT_FOUND", "The requested resource does not exist")
