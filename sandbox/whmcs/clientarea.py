"""The client area: the pages a customer reaches by single sign-on, over plain http on the port for people."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.faults.rules import Offer
from sandbox.faults.wire import Misbehaving
from sandbox.pages import HEADERS, Pages, posted
from sandbox.whmcs import invoice_pages
from sandbox.whmcs.cards import TEST_NUMBER, CardRefused, add_card, remove_card, stored
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.records import Client, Session, SsoToken
from sandbox.whmcs.sso import CLIENT_AREA, HOME, INVOICES, PAYMENT_METHODS
from sandbox.world import World

COOKIE = "whmcs_sandbox_session"
HERE = Path(__file__).parent
Endpoint = Callable[[Request], Awaitable[Response]]


class ClientArea:
    """The endpoints, over one installation."""

    def __init__(self, whmcs: Whmcs) -> None:
        self.whmcs = whmcs
        self.pages = Pages(HERE / "templates")

    async def sign_on(self, request: Request) -> Response:
        """Redeems a token: once, within its minute, and only while the client may come in."""
        token = self._token(request.query_params.get("access_token", ""))
        if token is None or token.used:
            return self._refusal("This sign-in link has already been used or was never valid.")
        if self.whmcs.clock.now().timestamp() > token.expires:
            return self._refusal("This sign-in link has expired. It works for 60 seconds.")
        client = self.whmcs.clients.get(token.client_id)
        if client is None or client.status == "Closed":
            return self._refusal(f'Single sign-on was denied for "Closed" User ID {token.client_id}.')
        return self._signed_in(token, request.client.host if request.client else "")

    def _token(self, sent: str) -> SsoToken | None:
        found = self.whmcs.sso_tokens.find("token", sent)
        return next((each for each in found if secrets.compare_digest(each.token.encode(), sent.encode())), None)

    def _signed_in(self, token: SsoToken, address: str) -> Response:
        whmcs = self.whmcs
        session = Session(whmcs.sessions.next_id(), secrets.token_hex(20), token.client_id)
        with whmcs.caller(""):
            token.used = True
            whmcs.sso_tokens.put(token)
            whmcs.sessions.put(session)
            self._remember(token.user_id, address)
            whmcs.note("sso.redeem", str(token.client_id), {})
        reply = RedirectResponse(f"{CLIENT_AREA}/{token.path}", 302, HEADERS)
        reply.set_cookie(COOKIE, session.token, path=CLIENT_AREA, httponly=True, samesite="lax")
        return reply

    def _remember(self, user_id: int, address: str) -> None:
        user = self.whmcs.users.get(user_id)
        if user is not None:
            user.last_login, user.last_ip = self.whmcs.timestamp(), address
            self.whmcs.users.put(user)

    async def sign_out(self, request: Request) -> Response:
        """Ends the session."""
        await posted(request)
        for session in self.whmcs.sessions.find("token", request.cookies.get(COOKIE, "")):
            self.whmcs.sessions.delete(session.id)
        reply = self._show("signed_out.html", {})
        reply.delete_cookie(COOKIE, path=CLIENT_AREA)
        return reply

    async def home(self, request: Request) -> Response:
        """What the client has: services and invoices, or invoices alone with `action=invoices`."""
        client = self._client(request)
        invoices = invoice_pages.bills(self.whmcs, client.id)
        if request.query_params.get("action") == "invoices":
            return self._show("invoices.html", {"client": client, "invoices": invoices})
        services = [
            (each, self.whmcs.products[each.pid].name) for each in self.whmcs.services.find("client_id", client.id)
        ]
        return self._show("home.html", {"client": client, "services": services, "invoices": invoices})

    async def index(self, request: Request) -> Response:
        """WHMCS's router: the page is named by `rp`."""
        route = request.query_params.get("rp", "").strip("/")
        if request.method == "POST":
            return await self._change(request, route)
        client = self._client(request)
        if route in ("account/paymentmethods", "account/paymentmethods/add"):
            query = request.query_params
            return self._payment_methods(client, added=query.get("added", ""), removed=query.get("removed", ""))
        raise HTTPException(404, "There is no such page in this client area.")

    async def _change(self, request: Request, route: str) -> Response:
        client, form = self._client(request), await posted(request)
        if route == "account/paymentmethods/add":
            return self._add(client, form.get("card_number", ""), form.get("card_expiry", ""))
        if route.startswith("account/paymentmethods/delete/"):
            return self._remove(client, route.rpartition("/")[2])
        raise HTTPException(404, "There is no such page in this client area.")

    def _add(self, client: Client, number: str, expiry: str) -> Response:
        try:
            with self.whmcs.caller(""):
                method = add_card(self.whmcs, client.id, number, expiry)
        except CardRefused as refusal:
            return self._payment_methods(client, number=number, expiry=expiry, refusal=refusal)
        return RedirectResponse(f"{CLIENT_AREA}/{PAYMENT_METHODS}&added={method.id}", 303)

    def _remove(self, client: Client, number: str) -> Response:
        if not number.isdecimal():
            raise HTTPException(404, "There is no such card.")
        with self.whmcs.caller(""):
            removed = remove_card(self.whmcs, client.id, int(number))
        return RedirectResponse(f"{CLIENT_AREA}/{PAYMENT_METHODS}{'&removed=1' if removed else ''}", 303)

    async def invoice(self, request: Request) -> Response:
        """One invoice of this client; POST pays it with the stored card."""
        client = self._client(request)
        number = request.query_params.get("id", "")
        bill = invoice_pages.bill(self.whmcs, client.id, number)
        if bill is None:
            raise HTTPException(404, "There is no such invoice.")
        problem = ""
        if request.method == "POST":
            await posted(request)
            problem = invoice_pages.pay(self.whmcs, bill)
            if not problem:
                return RedirectResponse(f"{CLIENT_AREA}/viewinvoice.php?id={number}", 303)
        shown = {"client": client, "bill": bill, "invoice": bill.invoice, "problem": problem}
        return self._show("invoice.html", shown, 422 if problem else 200)

    def _client(self, request: Request) -> Client:
        """Whose session this is. Raises 401, and the page says how to come in."""
        sent = request.cookies.get(COOKIE, "")
        for session in self.whmcs.sessions.find("token", sent):
            client = self.whmcs.clients.get(session.client_id)
            if client and secrets.compare_digest(session.token.encode(), sent.encode()):
                return client
        raise HTTPException(401, "You are not signed in. Open this page from your portal.")

    def _payment_methods(self, client: Client, *, refusal: CardRefused | None = None, **context: str) -> Response:
        """The stored cards and the form for another, filled with a test card or with what was refused."""
        year = (self.whmcs.server_now().year + 3) % 100
        blank = {"number": TEST_NUMBER, "expiry": f"12/{year:02d}", "added": "", "removed": ""}
        methods = stored(self.whmcs, client.id)
        shown = {**blank, **context, "client": client, "methods": methods, "refusal": refusal}
        return self._show("methods.html", shown, 422 if refusal else 200)

    def _refusal(self, message: str) -> Response:
        return self._show("refusal.html", {"message": message}, 403)

    def _show(self, template: str, context: Mapping[str, object], status: int = 200) -> Response:
        shared = {
            "base": CLIENT_AREA,
            "methods_url": PAYMENT_METHODS,
            "home_url": HOME,
            "invoices_url": INVOICES,
            "client": None,
        }
        portal_url = self.whmcs.settings.portal_url
        return self.pages.render(template, {**shared, "portal_url": portal_url, **context}, status)

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint, with its refusals shown as a page of this client area."""

        async def wrapped(request: Request) -> Response:
            try:
                return await endpoint(request)
            except HTTPException as error:
                return self._show("refusal.html", {"message": error.detail}, error.status_code)

        return wrapped


def mount(world: World, path: str) -> Mount:
    """The client area below a path; rules about faults know its pages by their names."""
    shown = pages(world)

    async def offer(request: Request) -> Offer:
        name = next((each.name for each in shown if each.matches(request.scope)[0] is Match.FULL), "unknown")
        return Offer("whmcs", name, frozenset(request.query_params.getlist("id")), text=str(request.url.query))

    return Mount(
        path,
        routes=[*shown, Mount("/static", StaticFiles(directory=HERE / "static"))],
        middleware=[Middleware(Misbehaving, faults=world.faults, system="whmcs", namer=offer)],
    )


def pages(world: World) -> list[Route]:
    """The pages, under the names that rules about faults use."""
    area = ClientArea(world.whmcs)
    both = ["GET", "POST"]
    return [
        Route("/oauth/singlesignon.php", area.guarded(area.sign_on), name="sso.redeem"),
        Route("/clientarea.php", area.guarded(area.home), name="clientarea.home"),
        Route("/index.php", area.guarded(area.index), methods=both, name="clientarea.page"),
        Route("/viewinvoice.php", area.guarded(area.invoice), methods=both, name="clientarea.invoice"),
        Route("/logout.php", area.guarded(area.sign_out), methods=["POST"], name="clientarea.logout"),
    ]
