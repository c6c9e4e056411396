"""What all pages of the desk do alike: show, carry a button out and go back, turn refusals into a page."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sandbox.desk.agent import Agent
from sandbox.desk.look import desk_pages
from sandbox.desk.notices import Notice, Notices
from sandbox.esim.refusals import Refused
from sandbox.pages import posted
from sandbox.salesforce.errors import ApiError
from sandbox.world import World

PAGE_SIZE = 50


class Room:
    """The desk over one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.agent = Agent(world)
        self._pages = desk_pages()
        self._notices = Notices()

    def show(self, request: Request, template: str, here: str, context: Mapping[str, Any]) -> Response:
        """The page; `here` is its place in the navigation. A notice that waits for it is shown once."""
        notice = self._notices.take(request.query_params.get("notice", ""))
        return self._pages.render(template, {"here": here, "notice": notice, "path": request.url.path, **context})

    async def act(self, request: Request, do: Callable[[dict[str, str]], str]) -> Response:
        """Carries out a button with its form and goes back to the page it was on, which then says what happened."""
        form = await posted(request)
        try:
            notice = Notice("ok", do(form))
        except ApiError as error:
            notice = Notice("bad", f"Salesforce refused: {error.message} ({error.code})")
        except Refused as refusal:
            notice = Notice("bad", f"The eSIM provider refused: {refusal.text} ({refusal.code})")
        back = form.get("back", "/")
        page = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
        return RedirectResponse(f"{page}?notice={self._notices.keep(notice)}", 303)

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

    def _problem(self, request: Request, message: str, status: int) -> Response:
        context = {"here": "", "notice": None, "path": request.url.path, "message": message}
        return self._pages.render("problem.html", context, status)


def page_number(request: Request) -> int:
    """Which page of a long list is asked for, 1 unless it says otherwise."""
    asked = request.query_params.get("page", "")
    return max(1, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 7 else 1


def part(request: Request) -> tuple[int, int]:
    """What to skip and how many to read, one more than is shown, so that one knows whether there is more."""
    return (page_number(request) - 1) * PAGE_SIZE, PAGE_SIZE + 1


def paged(request: Request, found: list[Any]) -> dict[str, Any]:
    """The context of a list's page links, for what `part` read; `found` loses its last, which is not shown."""
    number, more = page_number(request), len(found) > PAGE_SIZE
    del found[PAGE_SIZE:]
    return {"page": number, "more": more, "query": {k: v for k, v in request.query_params.items() if k not in _OWN}}


_OWN = ("page", "notice")
