"""The page on which faults are made, watched and removed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.desk.look import desk_pages
from sandbox.desk.notices import Notice, Notices
from sandbox.faults import forms
from sandbox.faults.book import RuleRefused
from sandbox.faults.control import explanation, shown
from sandbox.faults.kinds import KINDS
from sandbox.faults.kinds.base import SYSTEM_NAMES, Fault
from sandbox.faults.operations import operations
from sandbox.faults.placing import parse, place, place_all, reachable
from sandbox.faults.presets import PRESETS
from sandbox.faults.rules import Rule
from sandbox.pages import posted
from sandbox.world import World

HOME = "/faults/"


class _Pages:
    """The endpoints, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._notices = Notices()
        self._pages = desk_pages(Path(__file__).with_name("templates"))
        self._pages.add_filter("explained", explanation)

    async def overview(self, request: Request) -> Response:
        """GET: rules, presets, and the choice of another fault; POST: make a rule."""
        if request.method == "POST":
            return await self._make(request)
        rules = [(rule, shown(self._world, rule)) for rule in reversed(self._world.faults.all())]
        kinds = {system: forms.choices(system) for system in operations(self._world)}
        context = {"rules": rules, "presets": PRESETS.values(), "kinds": kinds}
        notice = self._notices.take(request.query_params.get("notice", ""))
        return self._show("faults.html", {**context, "notice": notice})

    async def form(self, request: Request) -> Response:
        """GET: the form for one kind in one system."""
        system, kind = self._chosen(request.query_params.get("fault", ""))
        return self._form(system, kind, {}, None)

    async def clear(self, request: Request) -> Response:
        """POST: remove every rule."""
        await posted(request)
        return await self._remove(self._world.faults.all())

    async def remove(self, request: Request) -> Response:
        """POST: remove one rule."""
        await posted(request)
        return await self._remove([self._wanted(request)])

    async def release(self, request: Request) -> Response:
        """POST: let go on what a rule holds."""
        await posted(request)
        released = self._world.faults.holds.release(self._wanted(request).id)
        return self._back(f"{_counted(released, 'call')} released.")

    async def preset(self, request: Request) -> Response:
        """POST: make the rules of a named set."""
        await posted(request)
        preset = PRESETS.get(request.path_params["name"])
        if preset is None:
            raise HTTPException(404, "There is no such preset.")
        place_all(self._world, preset.specs)
        await self._world.ports.follow()
        return self._back(f"{preset.title}: done.")

    async def _make(self, request: Request) -> Response:
        sent = await posted(request)
        system, kind = self._chosen(sent.get("fault", ""))
        try:
            rule = place(self._world, parse(forms.read(kind, system, sent)))
        except RuleRefused as refusal:
            return self._form(system, kind, sent, refusal)
        await self._world.ports.follow()
        return self._back(f"{kind.title}: rule {rule.id} stands.")

    async def _remove(self, rules: list[Rule]) -> Response:
        removed = self._world.faults.remove(rules)
        await self._world.ports.follow()
        return self._back(f"{_counted(removed, 'rule')} removed.")

    def _chosen(self, fault: str) -> tuple[str, type[Fault]]:
        system, _, name = fault.partition("/")
        kind = KINDS.get(name)
        if kind is None or system not in kind.systems or system not in operations(self._world):
            raise HTTPException(404, "There is no such fault.")
        return system, kind

    def _wanted(self, request: Request) -> Rule:
        rule = self._world.faults.get(request.path_params["rule"])
        if rule is None:
            raise HTTPException(404, "There is no such rule; it was removed.")
        return rule

    def _form(self, system: str, kind: type[Fault], sent: Mapping[str, str], refusal: RuleRefused | None) -> Response:
        groups = [
            ("What happens", forms.about(kind, sent)),
            ("To which calls", forms.calls(kind, sent)),
            ("How often", forms.times(kind, sent)),
        ]
        context = {"system": system, "kind": kind, "groups": [each for each in groups if each[1]], "refusal": refusal}
        names = reachable(operations(self._world)[system], kind)
        return self._show("fault.html", {**context, "names": names, "notice": None}, 422 if refusal else 200)

    def _back(self, sentence: str) -> Response:
        return RedirectResponse(f"{HOME}?notice={self._notices.keep(Notice('ok', sentence))}", 303)

    def _show(self, template: str, context: Mapping[str, Any], status: int = 200) -> Response:
        shared = {"here": "faults", "path": HOME, "system_names": SYSTEM_NAMES}
        return self._pages.render(template, {**shared, **context}, status)

    def problem(self, _: Request, error: Exception) -> Response:
        """A refusal as a page of the desk."""
        assert isinstance(error, HTTPException)
        context = {"here": "faults", "notice": None, "path": HOME, "message": error.detail}
        return self._pages.render("problem.html", context, error.status_code)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def app(world: World) -> Starlette:
    """The pages, to be mounted at `/faults`."""
    pages = _Pages(world)
    routes = [
        Route("/", pages.overview, methods=["GET", "POST"]),
        Route("/new", pages.form),
        Route("/clear", pages.clear, methods=["POST"]),
        Route("/presets/{name}", pages.preset, methods=["POST"]),
        Route("/{rule}/remove", pages.remove, methods=["POST"]),
        Route("/{rule}/release", pages.release, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: pages.problem})
