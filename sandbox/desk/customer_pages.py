"""Customers and their cases, with what an agent decides about them."""

from itertools import islice

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.desk.agent import eligibility_values
from sandbox.desk.dossier import orders_of
from sandbox.desk.room import Room, paged, part
from sandbox.salesforce.org import Org
from sandbox.store import Record
from sandbox.world import World

_OPEN = ("New", "Escalated", "Working", "Waiting for Customer")
_NARROWED_BY = {"internet": "Internet_Eligibility_Status__c", "identity": "Id_Verification_Status__c"}


def routes(room: Room) -> list[BaseRoute]:
    """Relative to the root of the port for people."""
    page, org = room.guarded, room.world.org

    async def customers(request: Request) -> Response:
        only, records = _accounts(org, request)
        pages = paged(request, records)
        context = {"accounts": [(each, _email(org, each)) for each in records], "only": only, **pages}
        return room.show(request, "customers.html", "customers", context)

    async def customer(request: Request) -> Response:
        return room.show(request, "customer.html", "customers", _about(room.world, request.path_params["account"]))

    async def set_eligibility(request: Request) -> Response:
        account_id = request.path_params["account"]
        return await room.act(request, lambda form: room.agent.set_eligibility(account_id, form.get("value", "")))

    async def judge_identity(request: Request) -> Response:
        account_id = request.path_params["account"]

        def judge(form: dict[str, str]) -> str:
            if form.get("decision") == "verify":
                return room.agent.verify_identity(account_id)
            return room.agent.reject_identity(account_id, form.get("message", "").strip())

        return await room.act(request, judge)

    async def returned(request: Request) -> Response:
        return await room.act(request, lambda _form: room.agent.mark_returned(request.path_params["opportunity"]))

    return [
        Route("/customers", page(customers)),
        Route("/customers/{account}", page(customer)),
        Route("/customers/{account}/eligibility", page(set_eligibility), methods=["POST"]),
        Route("/customers/{account}/identity", page(judge_identity), methods=["POST"]),
        *_case_routes(room),
        Route("/opportunities/{opportunity}/returned", page(returned), methods=["POST"]),
    ]


def _case_routes(room: Room) -> list[BaseRoute]:
    page, org = room.guarded, room.world.org

    async def cases(request: Request) -> Response:
        found = _cases(org, request)
        pages = paged(request, found)
        context = {"cases": [(each, *_beside(org, each)) for each in found], **pages}
        return room.show(request, "cases.html", "cases", {**context, "closed_too": "all" in request.query_params})

    async def close_case(request: Request) -> Response:
        return await room.act(request, lambda _form: room.agent.close_case(request.path_params["case"]))

    async def answer_case(request: Request) -> Response:
        case_id = request.path_params["case"]
        return await room.act(request, lambda form: room.agent.answer_case(case_id, form.get("answer", "").strip()))

    return [
        Route("/cases", page(cases)),
        Route("/cases/{case}/close", page(close_case), methods=["POST"]),
        Route("/cases/{case}/answer", page(answer_case), methods=["POST"]),
    ]


def _accounts(org: Org, request: Request) -> tuple[str, list[Record]]:
    """Accounts, newest first; of those that wait for something only these."""
    (skip, limit), table = part(request), org.table("Account")
    for name, field in _NARROWED_BY.items():
        value = request.query_params.get(name, "")
        if value:
            return f"{name} {value}", table.newest(field, value, limit=limit, skip=skip)
    return "", list(islice(table.all(newest_first=True), skip, skip + limit))


def _about(world: World, account_id: str) -> dict[str, object]:
    org = world.org
    account = org.existing("Account", account_id)
    return {
        "account": account,
        "email": _email(org, account),
        "values": eligibility_values(),
        "rows": orders_of(world, account_id),
        "cases": org.find("Case", "AccountId", account_id)[::-1],
        "opportunities": org.find("Opportunity", "AccountId", account_id)[::-1],
        "papers": org.find("ContentDocumentLink", "LinkedEntityId", account_id)[::-1],
    }


def _cases(org: Org, request: Request) -> list[Record]:
    """Cases that wait for somebody, the new ones first; or all, newest first."""
    (skip, limit), table = part(request), org.table("Case")
    if "all" in request.query_params:
        return list(islice(table.all(newest_first=True), skip, skip + limit))
    waiting = [each for status in _OPEN for each in table.newest("Status", status, limit=skip + limit)]
    return waiting[skip : skip + limit]


def _beside(org: Org, case: Record) -> tuple[Record | None, list[Record]]:
    """The case's account and what was written on it."""
    return org.get("Account", case["AccountId"] or ""), org.find("CaseComment", "ParentId", case["Id"])


def _email(org: Org, account: Record) -> str:
    contacts = org.find("Contact", "AccountId", account["Id"])
    return str(contacts[0]["Email"] or "") if contacts else ""
