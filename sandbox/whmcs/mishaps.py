"""What goes wrong inside of WHMCS because a rule says so (`sandbox.faults`)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sandbox.faults.kinds.base import Fault
from sandbox.faults.kinds.whmcs import ActionError, FieldIgnored, IpRefused
from sandbox.faults.rules import Offer
from sandbox.whmcs.answers import Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, PhpValue

_SECRET = frozenset({"identifier", "secret", "username", "password", "password2", "accesskey"})


def offer(form: PhpArray, action: str, correlation_id: str) -> Offer:
    """A call of the API as rules see it: its ids are the values of every field named `…id`, its text is the form
    without secrets."""
    fields = list(_fields(form))
    keys = frozenset(value for name, value in fields if name.split("[")[0].lower().endswith("id") and value)
    said = "\n".join(f"{name}={value}" for name, value in fields)
    return Offer("whmcs", action, keys, correlation_id, said)


def _fields(form: Mapping[int | str, PhpValue], within: str = "") -> Iterator[tuple[str, str]]:
    for key, value in form.items():
        name = f"{within}[{key}]" if within else str(key)
        if isinstance(value, dict):
            yield from _fields(value, name)
        elif name not in _SECRET:
            yield name, value


def refuse_address(whmcs: Whmcs, call: Offer | None, address: str) -> None:
    """Raises Refused as for an address that is not on the allow-list, when a rule says so."""
    if call and whmcs.faults.take(call, IpRefused):
        raise Refused(f"Invalid IP {address}", 403)


@dataclass(frozen=True)
class Mishap:
    """What happens to one action; nothing, without a fault."""

    fault: Fault | None = None

    def form(self, sent: PhpArray) -> PhpArray:
        """What the action gets to see of the form."""
        if isinstance(self.fault, FieldIgnored):
            return {name: value for name, value in sent.items() if name != self.fault.field}
        return sent

    def strike(self, at: str) -> None:
        """Raises Refused when the action fails at this point, before or after it."""
        if isinstance(self.fault, ActionError) and self.fault.at == at:
            raise Refused(self.fault.message, self.fault.status)


def mishap(whmcs: Whmcs, call: Offer | None) -> Mishap:
    """What the rules have for this action; `call` is None when there is no rule at all."""
    struck = whmcs.faults.take(call, ActionError, FieldIgnored) if call else None
    return Mishap(struck.fault if struck else None)
