"""The desk's pages and the forms on them."""

from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.desk.agent import ORDER_ACTIONS, Agent, eligibility_values
from sandbox.desk.dossier import billing_order, dossier, order_rows
from sandbox.desk.look import HERE, desk_pages
from sandbox.desk.notices import Notice, Notices
from sandbox.ledger import Wanted
from sandbox.pages import posted
from sandbox.salesforce.errors import ApiError
from sandbox.store import Record
from sandbox.world import World

LEDGER_ROWS = 200
_SHORTEST_REFRESH_S, _LONGEST_REFRESH_S = 2, 60


class Desk:
    """The endpoints, over one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.agent = Agent(world)
        self.pages = desk_pages()
        self._notices = Notices()

    async def overview(self, request: Request) -> Response:
        """Salesforce orders, newest first."""
        only = request.query_params.get("status", "")
        context = {"rows": order_rows(self.world, only=only), "only": only, "todo": self._todo()}
        return self._show(request, "overview.html", "orders", {**context, "refresh": _refresh(request)})

    async def order(self, request: Request) -> Response:
        """One order, in every system."""
        found = dossier(self.world, request.path_params["order"])
        return self._show(request, "order.html", "orders", {"found": found})

    async def change_order(self, request: Request) -> Response:
        """One of the four buttons of an order."""
        order_id, action = request.path_params["order"], request.path_params["action"]
        form = await posted(request)
        if action not in ORDER_ACTIONS:
            raise HTTPException(404, "There is no such button.")
        if action == "fail":
            return self._do(form, lambda: self.agent.fail(order_id, form.get("error", "").strip()))
        return self._do(form, lambda: ORDER_ACTIONS[action](self.agent, order_id))

    async def customers(self, request: Request) -> Response:
        """Salesforce accounts, newest first."""
        accounts = [(each, self._email(each)) for each in self.world.org.records("Account")]
        return self._show(request, "customers.html", "customers", {"accounts": accounts[::-1]})

    async def customer(self, request: Request) -> Response:
        """One account with what an agent decides about it."""
        org, account = self.world.org, self.world.org.existing("Account", request.path_params["account"])
        context = {
            "account": account,
            "email": self._email(account),
            "values": eligibility_values(),
            "rows": [each for each in order_rows(self.world) if each.order["AccountId"] == account["Id"]],
            "cases": org.find("Case", "AccountId", account["Id"])[::-1],
            "opportunities": org.find("Opportunity", "AccountId", account["Id"])[::-1],
        }
        return self._show(request, "customer.html", "customers", context)

    async def set_eligibility(self, request: Request) -> Response:
        """The answer to "what internet can this address have"."""
        form, account_id = await posted(request), request.path_params["account"]
        return self._do(form, lambda: self.agent.set_eligibility(account_id, form.get("value", "")))

    async def judge_identity(self, request: Request) -> Response:
        """Verified, or rejected with a message."""
        form, account_id = await posted(request), request.path_params["account"]
        if form.get("decision") == "verify":
            return self._do(form, lambda: self.agent.verify_identity(account_id))
        return self._do(form, lambda: self.agent.reject_identity(account_id, form.get("message", "").strip()))

    async def cases(self, request: Request) -> Response:
        """Cases, open ones first."""
        newest_first = list(self.world.org.records("Case"))[::-1]
        found = sorted(newest_first, key=_closed)
        return self._show(request, "cases.html", "cases", {"cases": [(each, self._account_of(each)) for each in found]})

    async def close_case(self, request: Request) -> Response:
        """Closes a case."""
        form, case_id = await posted(request), request.path_params["case"]
        return self._do(form, lambda: self.agent.close_case(case_id))

    async def billing(self, request: Request) -> Response:
        """What WHMCS holds."""
        whmcs = self.world.whmcs
        orders = [billing_order(self.world, each) for each in reversed(whmcs.orders.all())]
        clients = [(each, whmcs.pay_methods.find("client_id", each.id)) for each in reversed(whmcs.clients.all())]
        return self._show(request, "billing.html", "whmcs", {"orders": orders, "clients": clients})

    async def ledger(self, request: Request) -> Response:
        """What the systems accepted, newest first, narrowed by system and by any word in a row."""
        system, word = request.query_params.get("system", ""), request.query_params.get("word", "").strip()
        ledger, wanted = self.world.ledger, Wanted(system=system or None, word=word or None)
        entries = list(ledger.select(wanted, limit=LEDGER_ROWS, newest_first=True))
        context = {"entries": entries, "total": ledger.count(wanted), "systems": ledger.systems()}
        return self._show(request, "ledger.html", "ledger", {**context, "system": system, "word": word})

    def guarded(self, endpoint: Callable[[Request], Any]) -> Callable[[Request], Any]:
        """The endpoint, with its refusals shown as a page."""

        async def wrapped(request: Request) -> Response:
            try:
                response: Response = await endpoint(request)
            except HTTPException as error:
                return self._problem(request, error.detail, error.status_code)
            except ApiError as error:
                return self._problem(request, f"Salesforce: {error.message} ({error.code})", error.status)
            return response

        return wrapped

    def _do(self, form: dict[str, str], act: Callable[[], str]) -> Response:
        """Runs a button and goes back to the page it was on, which then says what happened or why it was refused."""
        try:
            notice = Notice("ok", act())
        except ApiError as error:
            notice = Notice("bad", f"Salesforce refused: {error.message} ({error.code})")
        key = self._notices.keep(notice)
        back = form.get("back", "/")
        page = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
        return RedirectResponse(f"{page}?notice={key}", 303)

    def _show(self, request: Request, template: str, here: str, context: dict[str, Any]) -> Response:
        notice = self._notices.take(request.query_params.get("notice", ""))
        return self.pages.render(template, {"here": here, "notice": notice, "path": request.url.path, **context})

    def _problem(self, request: Request, message: str, status: int) -> Response:
        context = {"here": "", "notice": None, "path": request.url.path, "message": message}
        return self.pages.render("problem.html", context, status)

    def _todo(self) -> dict[str, int]:
        org = self.world.org
        accounts = list(org.records("Account"))
        return {
            "orders to review": sum(each["Status"] == "Pending Review" for each in org.records("Order")),
            "orders failed": sum(each["Activation_Status__c"] == "Failed" for each in org.records("Order")),
            "addresses to check": sum(each["Internet_Eligibility_Status__c"] == "Pending" for each in accounts),
            "papers to look at": sum(each["Id_Verification_Status__c"] == "Pending" for each in accounts),
        }

    def _email(self, account: Record) -> str:
        contacts = self.world.org.find("Contact", "AccountId", account["Id"])
        return str(contacts[0]["Email"] or "") if contacts else ""

    def _account_of(self, record: Record) -> Record | None:
        return self.world.org.get("Account", record["AccountId"] or "")


def _closed(case: Record) -> bool:
    return bool(case["IsClosed"])


def _refresh(request: Request) -> int:
    """Seconds after which the overview loads itself again, 0 for never."""
    asked = request.query_params.get("refresh", "")
    return min(max(int(asked), _SHORTEST_REFRESH_S), _LONGEST_REFRESH_S) if asked.isdecimal() else 0


def routes(world: World) -> list[BaseRoute]:
    """The desk's pages, relative to the root of the port for people."""
    desk = Desk(world)
    page = desk.guarded
    return [
        Route("/", page(desk.overview)),
        Route("/orders/{order}", page(desk.order)),
        Route("/orders/{order}/{action}", page(desk.change_order), methods=["POST"]),
        Route("/customers", page(desk.customers)),
        Route("/customers/{account}", page(desk.customer)),
        Route("/customers/{account}/eligibility", page(desk.set_eligibility), methods=["POST"]),
        Route("/customers/{account}/identity", page(desk.judge_identity), methods=["POST"]),
        Route("/cases", page(desk.cases)),
        Route("/cases/{case}/close", page(desk.close_case), methods=["POST"]),
        Route("/billing", page(desk.billing)),
        Route("/ledger", page(desk.ledger)),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
