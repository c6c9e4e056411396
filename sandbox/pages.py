"""What every page for human eyes shares: templates, headers, and that only its own forms may post."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

JAPAN = ZoneInfo("Asia/Tokyo")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Link:
    """A link of a navigation bar."""

    name: str
    url: str


class Pages:
    """Renders the templates of one package; later directories are looked into when the first has no such template."""

    def __init__(self, *directories: Path, shared: Mapping[str, object] | None = None) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(directories),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(shared or {})
        self.add_filter("moment", moment)

    def add_filter(self, name: str, function: Callable[[Any], str]) -> None:
        """Give the templates another filter."""
        self._templates.filters[name] = function

    def render(self, template: str, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """The page with the headers that keep it from running or loading anything foreign."""
        return HTMLResponse(self._templates.get_template(template).render(context), status, HEADERS)


def moment(value: datetime | str) -> str:
    """A moment, or its ISO text, for people: Japan time, to the second."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return f"{value.astimezone(JAPAN):%Y-%m-%d %H:%M:%S}"


def refuse_foreign_forms(request: Request) -> None:
    """Raises 403 unless the form that posts was served from this very origin, as Origin or else Referer says."""
    source = request.headers.get("origin") or request.headers.get("referer", "")
    parts = urlsplit(source)
    if f"{parts.scheme}://{parts.netloc}" != f"{request.url.scheme}://{request.headers.get('host', '')}":
        raise HTTPException(403, "This form was not sent from one of our own pages.")


def refuse_foreign_pages(request: Request) -> None:
    """Raises 403 for what a page of another origin has a browser send; programs send no Origin."""
    if "origin" in request.headers:
        refuse_foreign_forms(request)


async def posted(request: Request) -> dict[str, str]:
    """The text fields of a form from one of our own pages; a file counts as nothing."""
    refuse_foreign_forms(request)
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}


async def posted_json(request: Request) -> dict[str, Any]:
    """The JSON object that a program sent, {} without a body; raises 400 for another body, 403 for a foreign page's."""
    refuse_foreign_pages(request)
    body = await request.body()
    try:
        sent = json.loads(body) if body else {}
    except ValueError as error:
        raise HTTPException(400, "The body is not JSON.") from error
    if not isinstance(sent, dict):
        raise HTTPException(400, "The body is not a JSON object.")
    return sent
