"""Pages of visitors: built once for all of them, asked for again each time, sent again only when something changed."""

import hashlib
from collections.abc import Callable, Iterator
from functools import cache, wraps
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import get_language

from accounts.profile.languages import CHOSEN_COOKIE
from catalog import kept_pages, queries

View = Callable[..., HttpResponse]
UNRELEASED = "dev"  # PORTAL_RELEASE where nobody set it: a work tree, the demo


def visitors_may_keep(view: View) -> View:
    """For pages that depend on the mirror alone while nobody has a session; a customer's page is never kept.

    An unchanged page costs one query and is not built, or built once for all visitors of this process. The browser
    keeps it, no cache on the way does: its forms carry the token of that browser's cookie, so the tag depends on the
    cookies, too.
    """

    @wraps(view)
    def kept(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if _has_session(request):
            response = view(request, *args, **kwargs)
        else:
            response = _for_visitor(request, lambda: view(request, *args, **kwargs))
            response["Cache-Control"] = "private, no-cache"
        patch_vary_headers(response, ["Cookie", "Accept-Language"])
        return response

    return kept


def _for_visitor(request: HttpRequest, build: Callable[[], HttpResponse]) -> HttpResponse:
    """The page for somebody without a session; while somebody works on the templates (DEBUG) it is always built."""
    if settings.DEBUG:
        return build()
    version = queries.version()
    tag = _tag(request, version)
    unchanged = get_conditional_response(request, etag=tag)
    if unchanged is not None:
        return unchanged
    response = _page(request, version, build)
    response["ETag"] = tag
    return response


def _page(request: HttpRequest, version: int, build: Callable[[], HttpResponse]) -> HttpResponse:
    key = (version, get_language(), request.get_full_path(), _choices(request))
    if content := kept_pages.look(key, request):
        return HttpResponse(content)
    response = build()
    if _is_for_everyone(request, response):
        kept_pages.keep(key, response.content)
    return response


def _is_for_everyone(request: HttpRequest, response: HttpResponse) -> bool:
    """A page that has begun a session, or says something to one browser, is that browser's."""
    return response.status_code == 200 and not response.cookies and not request.session.modified


def _tag(request: HttpRequest, version: int) -> str:
    """What a visitor's page depends on beside its address."""
    depends_on = repr((version, get_language(), _build(), sorted(request.COOKIES.items())))
    return f'"{hashlib.sha256(depends_on.encode()).hexdigest()[:32]}"'


def _choices(request: HttpRequest) -> tuple[tuple[str, str], ...]:
    """Every cookie a page may depend on, the theme for one: all but the form token, and the language that is known."""
    known = (settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME, CHOSEN_COOKIE)
    return tuple(sorted((name, value) for name, value in request.COOKIES.items() if name not in known))


@cache
def _build() -> str:
    """The release; without one the state of the files pages are made of, which every process of a start finds alike."""
    if settings.RELEASE != UNRELEASED:
        return str(settings.RELEASE)
    files = sorted((str(file), file.stat().st_mtime_ns) for place in _sources() for file in _files(place))
    return hashlib.sha256(repr(files).encode()).hexdigest()


def _sources() -> Iterator[Path]:
    """Templates, texts, static files and our own packages."""
    yield from (settings.BASE_DIR / name for name in ("templates", "locale", "static"))
    yield from (Path(app.path) for app in apps.get_app_configs() if Path(app.path).parent == settings.BASE_DIR)


def _files(place: Path) -> Iterator[Path]:
    """What Python writes while it runs does not count."""
    return (file for file in place.rglob("*") if file.is_file() and file.parent.name != "__pycache__")


def _has_session(request: HttpRequest) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES
