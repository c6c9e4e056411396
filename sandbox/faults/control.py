"""Faults for programs, under /control/faults: JSON in, JSON out."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route

from sandbox.faults.book import RuleRefused
from sandbox.faults.kinds import KINDS
from sandbox.faults.kinds.base import Fault
from sandbox.faults.operations import operations
from sandbox.faults.placing import parse, place, place_all
from sandbox.faults.presets import PRESETS, Preset
from sandbox.faults.rules import Rule
from sandbox.pages import posted_json
from sandbox.world import World


class _Control:
    """The endpoints, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def rules(self, request: Request) -> JSONResponse:
        """GET: every rule; POST: make one; DELETE: remove all."""
        if request.method == "POST":
            try:
                rule = place(self._world, parse(await posted_json(request)))
            except RuleRefused as refusal:
                raise HTTPException(422, str(refusal)) from refusal
            await self._world.ports.follow()
            return JSONResponse(shown(self._world, rule), 201)
        if request.method == "DELETE":
            return await self._removed(self._world.faults.all())
        return JSONResponse({"rules": [shown(self._world, rule) for rule in self._world.faults.all()]})

    async def one(self, request: Request) -> JSONResponse:
        """GET: one rule; DELETE: remove it."""
        rule = self._wanted(request)
        if request.method == "DELETE":
            return await self._removed([rule])
        return JSONResponse(shown(self._world, rule))

    async def release(self, request: Request) -> JSONResponse:
        """POST: let the calls go on that a rule holds, or the longest held `count` of them."""
        rule, body = self._wanted(request), await posted_json(request)
        count = body.get("count")
        if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
            raise HTTPException(422, "count must be a number of calls, at least 1")
        return JSONResponse({"released": self._world.faults.holds.release(rule.id, count)})

    async def kinds(self, _: Request) -> JSONResponse:
        """GET: every kind with its explanation and the schema of its parameters."""
        return JSONResponse({"kinds": [_kind(each) for each in KINDS.values()]})

    async def operations(self, _: Request) -> JSONResponse:
        """GET: what can be struck, by system: calls, and what happens inside of them."""
        known = operations(self._world).items()
        return JSONResponse({system: {"calls": names.requests, "inside": names.inner} for system, names in known})

    async def presets(self, _: Request) -> JSONResponse:
        """GET: the named sets of rules."""
        return JSONResponse({"presets": [_preset(each) for each in PRESETS.values()]})

    async def preset(self, request: Request) -> JSONResponse:
        """POST: make the rules of a named set."""
        await posted_json(request)
        preset = PRESETS.get(request.path_params["name"])
        if preset is None:
            raise HTTPException(404, f"There is no such preset; there are {', '.join(PRESETS)}.")
        rules = place_all(self._world, preset.specs)
        await self._world.ports.follow()
        return JSONResponse({"rules": [shown(self._world, rule) for rule in rules]}, 201)

    async def _removed(self, rules: list[Rule]) -> JSONResponse:
        removed = self._world.faults.remove(rules)
        await self._world.ports.follow()
        return JSONResponse({"removed": removed})

    def _wanted(self, request: Request) -> Rule:
        rule = self._world.faults.get(request.path_params["rule"])
        if rule is None:
            raise HTTPException(404, "There is no such rule.")
        return rule


def routes(world: World) -> list[BaseRoute]:
    """Routes relative to `/control`."""
    control = _Control(world)
    return [
        Route("/faults", control.rules, methods=["GET", "POST", "DELETE"]),
        Mount(
            "/faults",
            routes=[
                Route("/kinds", control.kinds),
                Route("/operations", control.operations),
                Route("/presets", control.presets),
                Route("/presets/{name}", control.preset, methods=["POST"]),
                Route("/{rule}", control.one, methods=["GET", "DELETE"]),
                Route("/{rule}/release", control.release, methods=["POST"]),
            ],
        ),
    ]


def shown(world: World, rule: Rule) -> dict[str, Any]:
    """A rule with its counters and what it holds just now."""
    spec = rule.spec.model_dump(mode="json", exclude_defaults=True)
    held = world.faults.holds.held(rule.id)
    return {
        **spec,
        "id": rule.id,
        "operation": rule.operation,
        "parameters": rule.fault.model_dump(mode="json"),
        "when": rule.when,
        "made_at": rule.made_at.isoformat(),
        "state": rule.state(world.now()),
        "offered": rule.offered,
        "acted": rule.acted,
        "holding": [{"operation": each.operation, "correlation_id": each.correlation_id} for each in held],
    }


def _kind(kind: type[Fault]) -> dict[str, Any]:
    return {
        "kind": kind.kind,
        "title": kind.title,
        "explanation": explanation(kind),
        "systems": kind.systems,
        "operations": kind.operations,
        "strikes": kind.strikes,
        "parameters": kind.model_json_schema()["properties"] if kind.model_fields else {},
    }


def explanation(kind: type[Fault]) -> str:
    """What a kind does, in one line."""
    return " ".join((kind.__doc__ or "").split())


def _preset(preset: Preset) -> dict[str, Any]:
    specs = [each.model_dump(mode="json", exclude_defaults=True) for each in preset.specs]
    return {"name": preset.name, "title": preset.title, "explanation": preset.explanation, "rules": specs}
