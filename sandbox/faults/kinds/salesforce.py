"""Faults inside of Salesforce (salesforce-wire.md, sections 2 and 3.1)."""

from typing import ClassVar, Literal

from pydantic import Field

from sandbox.faults.kinds.base import AT, At, Fault


class _Inside(Fault):
    systems: ClassVar[tuple[str, ...]] = ("salesforce",)
    never: ClassVar[tuple[str, ...]] = ("token", "userinfo", "identity", "revoke", "versions", "login")


class SessionExpired(_Inside):
    """401 INVALID_SESSION_ID: for this call alone, for the token it carries from now on, or for every token."""

    kind = "session_expired"
    title = "Session expired"
    strikes = ("call", "now")

    scope: Literal["call", "token", "all"] = Field("all", description="How far it reaches")


class TokenError(_Inside):
    """The token endpoint refuses."""

    kind = "token_error"
    title = "No token"
    operations = ("token",)
    never = ()

    error: str = Field("invalid_grant", description="OAuth's error")
    error_description: str = Field("authentication failure", description="Its description")


class RequestLimitExceeded(_Inside):
    """403 REQUEST_LIMIT_EXCEEDED: the day's requests are used up, or too many long ones run at once."""

    kind = "request_limit_exceeded"
    title = "Request limit exceeded"

    limit: Literal["daily", "concurrent"] = Field("daily", description="Which limit")


class ServerUnavailable(_Inside):
    """503 SERVER_UNAVAILABLE in JSON."""

    kind = "server_unavailable"
    title = "Server unavailable"


class RowLock(_Inside):
    """400 UNABLE_TO_LOCK_ROW: somebody else holds the record, whichever call wants to write it: its own, a part of a
    Composite, or a row among others."""

    kind = "row_lock"
    title = "Row locked"
    operations = ("record.*",)


class SalesforceError(_Inside):
    """Any of Salesforce's errors, instead of the work or after it; also within a Composite."""

    kind = "salesforce_error"
    title = "Salesforce error"

    code: str = Field("UNKNOWN_EXCEPTION", pattern=r"^[A-Z_]+$", description="errorCode")
    message: str = Field("An unexpected error occurred.", description="Its message")
    at: At = Field("before", description=AT)


class DuplicateValue(_Inside):
    """The record is made, and the answer is the DUPLICATE_VALUE that the loser of a race gets."""

    kind = "duplicate_value"
    title = "Lost race: DUPLICATE_VALUE"
    operations = ("sobjects.*", "collections.*")

    field: str = Field("Portal_Ref__c", description="The unique field")


class SubRequestFails(_Inside):
    """A part of a Composite fails: the one whose operation or reference id contains what the rule names, or any."""

    kind = "sub_request_fails"
    title = "Part of a Composite fails"
    operations = ("composite*",)

    code: str = Field("UNABLE_TO_LOCK_ROW", pattern=r"^[A-Z_]+$", description="errorCode")
    message: str = Field(
        "unable to obtain exclusive access to this record or 1 records", description="The error's message"
    )
