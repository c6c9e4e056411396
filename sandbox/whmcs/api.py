"""The one endpoint of the external API, `/includes/api.php` (whmcs-wire §1)."""

from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults.rules import Offer
from sandbox.faults.wire import Misbehaving
from sandbox.whmcs import actions, mishaps
from sandbox.whmcs.access import checks
from sandbox.whmcs.actions import Action
from sandbox.whmcs.actions.documented import documented
from sandbox.whmcs.answers import Answer, Payload, Refused, failed
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text
from sandbox.whmcs.posting import sent_form
from sandbox.whmcs.quirks.shaping import shaped
from sandbox.whmcs.records import Settings
from sandbox.whmcs.rendering import rendered
from sandbox.world import World

CORRELATION_HEADER = "X-Correlation-ID"


@dataclass(frozen=True)
class Call:
    """One request as PHP would see it."""

    form: PhpArray
    address: str
    correlation_id: str

    @property
    def action(self) -> str:
        """As sent; case does not matter."""
        return text(self.form.get("action"))

    def offer(self) -> Offer:
        """The call as rules about faults see it, under the action's canonical name."""
        action = actions.BY_NAME.get(self.action.lower())
        return mishaps.offer(self.form, action.name if action else self.action, self.correlation_id)


def app(world: World) -> Starlette:
    """The installation behind TLS: the endpoint, and nothing else that a program would ask for."""

    async def endpoint(request: Request) -> Response:
        call = await _call(world.whmcs, request)
        payload, status = answer(world.whmcs, call)
        quirks = world.whmcs.settings.shown_quirks()
        body, content_type = rendered(payload, text(call.form.get("responsetype")), call.action, quirks)
        return Response(body, status_code=status, headers={"Content-Type": content_type})

    async def offer(request: Request) -> Offer:
        return (await _call(world.whmcs, request)).offer()

    return Starlette(
        routes=[Route("/includes/api.php", endpoint, methods=["GET", "POST"])],
        middleware=[Middleware(Misbehaving, faults=world.faults, system="whmcs", namer=offer)],
    )


async def _call(whmcs: Whmcs, request: Request) -> Call:
    return Call(
        form=await sent_form(request, accept_get=whmcs.settings.accept_get),
        address=request.client.host if request.client else "",
        correlation_id=request.headers.get(CORRELATION_HEADER, ""),
    )


def answer(whmcs: Whmcs, call: Call) -> tuple[Payload, int]:
    """Body and HTTP status of one call. It runs without waiting, so no other request comes in between."""
    try:
        return _run(whmcs, call), 200
    except Refused as refusal:
        return failed(refusal.message), 200 if whmcs.settings.shown_quirks().errors_are_200 else refusal.status


def _run(whmcs: Whmcs, call: Call) -> Payload:
    settings = whmcs.settings
    offer = call.offer() if whmcs.faults.concern("whmcs") else None
    mishaps.refuse_address(whmcs, offer, call.address)
    checks.check_address(settings, call.form, call.address)
    caller = checks.authenticate(settings, call.form)
    action = _action(settings, call.action)
    checks.check_role(caller, action.name)
    mishap = mishaps.mishap(whmcs, offer)
    mishap.strike("before")
    with whmcs.caller(call.correlation_id, call.address):
        result = action.run(whmcs, mishap.form(call.form))
        if not result.failure:
            whmcs.note(action.name, result.key, result.detail)
    mishap.strike("after")
    return _payload(result, whmcs)


def _action(settings: Settings, sent: str) -> Action:
    """The action of this name. One that WHMCS has and the sandbox has not is as if no API role listed it."""
    name = sent.lower()
    if name in actions.BY_NAME:
        return actions.BY_NAME[name]
    if name in documented():
        raise checks.not_allowed(name)
    raise Refused(settings.unknown_action_text.replace("{action}", name), settings.unknown_action_status)


def _payload(result: Answer, whmcs: Whmcs) -> Payload:
    if result.failure:
        return failed(result.failure)
    return shaped({result.verdict: "success", **result.payload}, whmcs.settings.shown_quirks())
