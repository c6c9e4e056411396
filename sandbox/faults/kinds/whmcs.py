"""Faults inside of WHMCS (whmcs-wire.md, sections 1.2, 3.3 and 5)."""

from typing import ClassVar

from pydantic import Field

from sandbox.faults.kinds.base import AT, At, Fault


class _Inside(Fault):
    systems: ClassVar[tuple[str, ...]] = ("whmcs",)


class ModuleFailure(_Inside):
    """The provisioning module reports an error; with after, it worked at the remote end all the same, as when its call
    timed out, and each later create says that the account exists. A key is like pid=101, serviceid=7 or orderid=5."""

    kind = "module_failure"
    title = "Module failure"
    operations = ("module.*",)

    text: str = Field("Could not connect to the provisioning server", description="The module's words")
    at: At = Field("before", description=AT)


class ActionError(_Inside):
    """An action answers result=error, instead of working or after it."""

    kind = "action_error"
    title = "result=error"

    message: str = Field("An error occurred", description="The error's message")
    status: int = Field(200, ge=200, le=599, description="HTTP status")
    at: At = Field("before", description=AT)


class FieldIgnored(_Inside):
    """WHMCS takes the call and ignores one of its parameters."""

    kind = "field_ignored"
    title = "Parameter ignored"

    field: str = Field("notes", description="Name of the parameter")


class IpRefused(_Inside):
    """403 Invalid IP: the caller's address is no longer on the list."""

    kind = "ip_refused"
    title = "Address refused"
