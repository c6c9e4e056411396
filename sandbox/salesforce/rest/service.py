"""Which call does what, the limit it counts against, and the line it leaves in the ledger."""

from contextlib import nullcontext
from typing import Any

from sandbox.ledger import Ledger
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.events import SchemaRegistry
from sandbox.salesforce.mishaps import Mishaps
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest.calls import Answer, Call, Part, parse_address, refusal
from sandbox.salesforce.rest.limits import Limits
from sandbox.salesforce.rest.routes import Route, Routes


class Service:
    """Answers calls. Each one is a transaction: what fails has changed nothing and published nothing."""

    def __init__(self, org: Org, schemas: SchemaRegistry, ledger: Ledger, mishaps: Mishaps) -> None:
        self._org = org
        self._mishaps = mishaps
        self._ledger = ledger
        self.limits = Limits(org)
        self._routes = Routes(org, schemas, self.limits.show, self._dispatch)

    def answer(self, call: Call) -> Answer:
        """Carry out one call of the API, errors included, and write it down."""
        self.limits.count(1)
        with self._org.asked(call.asking):
            operation, answer = self._dispatch(call)
        self.limits.count(answer.cost - 1)
        number = self._ledger.write(
            "salesforce",
            operation,
            key=answer.key,
            correlation_id=call.correlation_id,
            detail={"status": answer.status, "user": call.user_id, **_errors(answer), **answer.detail},
        )
        for part in answer.parts:
            self._note(number, operation, call, part)
        return answer

    def _dispatch(self, call: Call) -> tuple[str, Answer]:
        operation = "unknown"
        try:
            route, arguments = self._routes.find(call.method, call.segments)
            operation = self._named(route, arguments)
            with self._org.store.transaction() if route.atomic else nullcontext():
                return operation, self._mishaps.carry_out(call, operation, lambda: route.handler(call, *arguments))
        except ApiError as error:
            return operation, refusal(error)

    def operation_of(self, method: str, url: str) -> str:
        """What a request would be called in the ledger; `unknown` where there is nothing."""
        address = parse_address(url)
        try:
            return self._named(*self._routes.find(method, address.segments)) if address else "unknown"
        except ApiError:
            return "unknown"

    def operations(self) -> list[str]:
        """Every operation that calls have in the ledger."""
        types = [each.name for each in self._org.schema]
        return list(dict.fromkeys(each.format(name) for each in self._routes.operations() for name in types))

    def _named(self, route: Route, arguments: tuple[str, ...]) -> str:
        sobject = self._org.schema.get(arguments[0]) if arguments else None
        return route.operation.format(sobject.name if sobject else "")

    def _note(self, outer: int, outer_operation: str, call: Call, part: Part) -> None:
        answer = part.answer
        self._ledger.write(
            "salesforce",
            f"{outer_operation}/subrequest",
            key=answer.key,
            correlation_id=call.correlation_id,
            detail={
                "within": outer,
                "reference": part.label,
                "operation": part.operation,
                "status": answer.status,
                **_errors(answer),
                **answer.detail,
            },
        )


def _errors(answer: Answer) -> dict[str, Any]:
    if answer.status < 400 or not isinstance(answer.body, list):
        return {}
    return {"errors": [each["errorCode"] for each in answer.body]}
