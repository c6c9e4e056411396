"""What lies between the portal and the outside systems: every call passes its failpoints, is seen by the judge, and may
be lost, answered into the void, or carried out long after its caller has given up."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from integrations import deadline, failpoints
from integrations.errors import Rejected, Unavailable, UnknownOutcome

ACTIONS = {
    "pay_methods": "GetPayMethods",
    "catalogue": "GetProducts",
    "services": "GetClientsProducts",
    "order": "GetOrders",
    "orders": "GetOrders",
    "invoice": "GetInvoice",
    "add_order": "AddOrder",
    "accept_order": "AcceptOrder",
    "cancel_order": "CancelOrder",
    "module_create": "ModuleCreate",
    "set_service_status": "UpdateClientProduct",
    "cancel_invoice": "UpdateInvoice",
}
NOT_REPEATABLE = frozenset({"add_order", "accept_order", "cancel_order", "module_create", "activate"})
WRITES = NOT_REPEATABLE | {"set_service_status", "cancel_invoice", "report_outcome", "activate_opportunity"}
LONGEST_S = (
    900  # a request is carried out within the quarantine that follows its deadline, or never (reliability.md §2)
)


@dataclass
class Fault:
    """How the `nth` call of an operation goes wrong, counted from when the fault was laid."""

    operation: str
    kind: (
        str  # refused (before it is sent), rejected (there), lost (on the way), dropped (the answer), late (done later)
    )
    nth: int = 1


@dataclass
class Late:
    """A request that the remote has and has not carried out yet."""

    operation: str
    args: tuple[Any, ...]
    carry_out: Callable[[], object]
    until: float  # by the model's clock: then it is carried out at the latest


class Witness(Protocol):
    def sent(self, operation: str, args: tuple[Any, ...]) -> None: ...

    def answered(self, operation: str, args: tuple[Any, ...], answer: object) -> None: ...


@dataclass
class Wire:
    """Stands where the client of one system stands."""

    system: str
    remote: Any
    witness: Witness
    time: Callable[[], float]
    faults: list[Fault] = field(default_factory=list)
    late: list[Late] = field(default_factory=list)
    is_closed: bool = False  # for maintenance: it refuses everything, and does nothing

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return partial(self._call, operation)

    def _call(self, operation: str, *args: Any, **named: Any) -> Any:
        point = f"{self.system}.{ACTIONS.get(operation, operation)}"
        failpoints.reach(f"{point}:before")
        if self.time() >= deadline._begin_by.get():  # as the real wire does: what was allowed long ago is not sent
            raise Unavailable(self.system, operation, "timeout", "not sent any more")
        said = (*args, *named.values())
        self.witness.sent(operation, said)
        answer = self._answer(operation, said, partial(getattr(self.remote, operation), *args, **named))
        self.witness.answered(operation, said, answer)
        failpoints.reach(f"{point}:after")
        return answer

    def _answer(self, operation: str, args: tuple[Any, ...], carry_out: Callable[[], Any]) -> Any:
        fault = self._fault(operation)
        if self.is_closed:
            raise Unavailable(self.system, operation, "maintenance", "closed at night")
        if fault is None:
            return carry_out()
        if fault.kind == "refused":
            raise Unavailable(self.system, operation, "refused", "connection refused")
        if fault.kind == "rejected":
            raise Rejected(self.system, operation, "rejected", "not for this customer")
        if fault.kind == "dropped":
            carry_out()
        if fault.kind == "late" and operation in WRITES:
            self.late.append(Late(operation, args, carry_out, self.time() + LONGEST_S))
        kind = UnknownOutcome if operation in NOT_REPEATABLE else Unavailable
        raise kind(self.system, operation, "timeout", "no answer")

    def _fault(self, operation: str) -> Fault | None:
        for fault in self.faults:
            if fault.operation == operation:
                fault.nth -= 1
                if fault.nth == 0:
                    return fault
        return None
