"""What a kind of fault is: its parameters as fields, and where it can strike."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

SYSTEMS = ("salesforce", "pubsub", "whmcs", "esim", "mail")
HTTP = ("salesforce", "whmcs", "esim")
# The operation under which a connection itself is offered, before anything was said on it.
CONNECT = "connect"

At = Literal["before", "after"]
Close = Literal["close", "reset"]


class Fault(BaseModel):
    """One kind of fault with its parameters; the docstring of a subclass is its explanation for people.

    `systems` are those in which it exists. `operations` are globs, of which the rule's operation has to match one;
    the first is what a rule gets that names no operation. With `strikes` "call" it waits for a call, with "now" it
    happens when the rule is made, with "standing" it is there for as long as the rule is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ClassVar[str]
    title: ClassVar[str]
    systems: ClassVar[tuple[str, ...]]
    operations: ClassVar[tuple[str, ...]] = ("*",)
    strikes: ClassVar[tuple[Literal["call", "now", "standing"], ...]] = ("call",)
