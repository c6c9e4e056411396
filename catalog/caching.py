"""Pages of visitors that their browsers keep: asked for again each time, sent again only when something changed."""

import hashlib
from collections.abc import Callable, Iterator
from functools import cache, wraps
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.views.decorators.http import condition

from catalog import queries

View = Callable[..., HttpResponse]
UNRELEASED = "dev"  # PORTAL_RELEASE where nobody set it: a work tree, the demo


def visitors_may_keep(view: View) -> View:
    """For pages that depend on the mirror alone while nobody has a session; a customer's page is never kept.

    An unchanged page costs one query and is not built. The browser keeps it, no cache on the way does: its forms carry
    the token of that browser's cookie, so the tag depends on the cookies, too.
    """
    tagged = condition(etag_func=visitor_tag)(view)

    @wraps(view)
    def kept(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = tagged(request, *args, **kwargs)
        patch_vary_headers(response, ["Cookie", "Accept-Language"])
        if not _has_session(request):
            response["Cache-Control"] = "private, no-cache"
        return response

    return kept


def visitor_tag(request: HttpRequest, *_args: Any, **_path: Any) -> str | None:
    """What a visitor's page depends on beside its address; None where there is a session, and with it a person,
    and while somebody works on the templates (DEBUG)."""
    if settings.DEBUG or _has_session(request):
        return None
    depends_on = repr((queries.version(), get_language(), _build(), sorted(request.COOKIES.items())))
    return f'"{hashlib.sha256(depends_on.encode()).hexdigest()[:32]}"'


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
