"""What goes wrong inside of WHMCS because a rule says so (`sandbox.faults`)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from sandbox.faults.kinds.base import Fault
from sandbox.faults.kinds.whmcs import ActionError, FieldIgnored, IpRefused, ModuleFailure
from sandbox.faults.rules import Match, Offer, Spec
from sandbox.whmcs.answers import Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.ordering.records import Service
from sandbox.whmcs.ordering.switches import Command
from sandbox.whmcs.php import PhpArray, PhpValue

_SECRET = frozenset({"identifier", "secret", "username", "password", "password2", "accesskey"})


def offer(form: PhpArray, action: str, correlation_id: str) -> Offer:
    """A call of the API as rules see it: its ids are every field named `…id`, as `5` and as `orderid=5`, its
    text is the form without secrets."""
    fields = list(_fields(form))
    ids = [(name, value) for name, value in fields if value and name.split("[")[0].lower().endswith("id")]
    keys = frozenset(key for name, value in ids for key in (value, f"{name}={value}"))
    said = "\n".join(f"{name}={value}" for name, value in fields)
    return Offer("whmcs", action, keys, correlation_id, said)


def _fields(form: Mapping[int | str, PhpValue], within: str = "") -> Iterator[tuple[str, str]]:
    for key, value in form.items():
        name = f"{within}[{key}]" if within else str(key)
        if isinstance(value, dict):
            yield from _fields(value, name)
        elif name not in _SECRET:
            yield name, value


def module_failure(whmcs: Whmcs, service: Service, command: Command) -> ModuleFailure | None:
    """How the module fails at this command; None when it does not. Its keys are like `pid=101` and `serviceid=7`."""
    if not whmcs.faults.concern("whmcs"):
        return None
    ids = {"pid": service.pid, "serviceid": service.id, "orderid": service.order_id, "clientid": service.client_id}
    keys = frozenset([service.mark, *(f"{name}={number}" for name, number in ids.items())])
    struck = whmcs.faults.take(Offer("whmcs", f"module.{command}", keys, whmcs.correlation_id), ModuleFailure)
    return struck.fault if struck else None


@dataclass(frozen=True)
class ModulePlan:
    """A failing module as somebody asks for it: the calls it is for, and the rule; none, when it is to work again."""

    operation: str
    match: Match
    spec: Spec | None

    def arm(self, whmcs: Whmcs) -> None:
        """Let it fail so, instead of in any way that was armed for these calls before."""
        before = [each for each in whmcs.faults.all() if each.spec.kind == ModuleFailure.kind]
        whmcs.faults.remove(
            each for each in before if (each.operation, each.spec.match) == (self.operation, self.match)
        )
        if self.spec:
            whmcs.faults.create(self.spec)


def planned(failure: Mapping[str, Any]) -> ModulePlan:
    """What `failure` asks for: `pid`, `command` (create), `times` (once, never, always or a number), `text`,
    `after_commit`. Raises ValueError."""
    try:
        pid, times, command = int(failure["pid"]), failure.get("times", "once"), str(failure.get("command", "create"))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError("module_failure needs the pid of a product") from error
    if command not in get_args(Command):
        raise ValueError(f"command is one of {', '.join(get_args(Command))}")
    operation, match = f"module.{command}", Match(key=f"pid={pid}")
    if times in ("never", 0):
        return ModulePlan(operation, match, None)
    counted = {"when": times} if isinstance(times, str) else {"when": "times", "times": times}
    parameters = {"at": "after" if failure.get("after_commit") else "before"}
    parameters |= {"text": str(failure["text"])} if failure.get("text") else {}
    return ModulePlan(operation, match, _spec(ModuleFailure, operation, parameters, match=match, **counted))


def arm_action(whmcs: Whmcs, action: str, message: str) -> None:
    """Let the next call of an action fail with this message."""
    whmcs.faults.create(_spec(ActionError, action, {"message": message}))


def _spec(kind: type[Fault], operation: str, parameters: Mapping[str, str], **more: Any) -> Spec:
    return Spec(system="whmcs", kind=kind.kind, operation=operation, parameters=parameters, **more)


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
