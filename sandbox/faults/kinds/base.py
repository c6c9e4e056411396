"""What a kind of fault is: its parameters as fields, and where it can strike."""

from fnmatch import fnmatchcase
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

SYSTEMS = ("salesforce", "pubsub", "whmcs", "esim", "mail")
# How people call them.
SYSTEM_NAMES = {
    "salesforce": "Salesforce",
    "pubsub": "Pub/Sub API",
    "whmcs": "WHMCS",
    "esim": "eSIM provider",
    "mail": "Mail server",
}
HTTP = ("salesforce", "whmcs", "esim")
# The operation under which a connection itself is offered, before anything was said on it.
CONNECT = "connect"

# Before the work is done, which is then not done at all; or after it was done.
At = Literal["before", "after"]
# How a connection ends: politely, or by TCP reset.
Close = Literal["close", "reset"]
AT = "Before or after the work"
CLOSE = "How the connection ends"


class Fault(BaseModel):
    """One kind of fault with its parameters; the docstring of a subclass is its explanation for people.

    `systems` are those in which it exists. It can strike operations that match one of the globs in `operations`, the
    first of which is what a rule gets that names none, and leaves alone those in `never`. With `strikes` "call" it
    waits for a call, with "now" it happens when the rule is made, with "standing" it is there as long as the rule is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def reaches(cls, operation: str) -> bool:
        """Whether it can strike an operation of this name."""
        return any(fnmatchcase(operation, glob) for glob in cls.operations) and not any(
            fnmatchcase(operation, glob) for glob in cls.never
        )

    kind: ClassVar[str]
    title: ClassVar[str]
    systems: ClassVar[tuple[str, ...]]
    operations: ClassVar[tuple[str, ...]] = ("*",)
    never: ClassVar[tuple[str, ...]] = ()
    strikes: ClassVar[tuple[Literal["call", "now", "standing"], ...]] = ("call",)
