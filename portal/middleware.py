"""What every answer carries: a reference that can be quoted, and a rule about who may keep a copy."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.cache import patch_vary_headers

from integrations.correlation import ACCEPTED, bound

GetResponse = Callable[[HttpRequest], HttpResponse]
REQUEST_ID = "X-Request-ID"
METHODS = ("GET", "HEAD", "POST", "OPTIONS")


def _given_id(request: HttpRequest) -> str:
    """The proxy's id, if there is a proxy we trust (the one whose X-Forwarded-Proto counts) and it looks like an id."""
    given = request.headers.get(REQUEST_ID, "")
    trusted = settings.SECURE_PROXY_SSL_HEADER is not None
    return given if trusted and ACCEPTED.match(given) else ""


def correlation(get_response: GetResponse) -> GetResponse:
    """Binds one correlation id to the request, its log lines and its outside calls; the answer names it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with bound(_given_id(request)) as reference:
            response = get_response(request)
            response[REQUEST_ID] = reference
            return response

    return middleware


def private_pages(get_response: GetResponse) -> GetResponse:
    """No cache keeps what a browser with a session was shown (security.md §3); asks nothing of the database."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if settings.SESSION_COOKIE_NAME in request.COOKIES or settings.SESSION_COOKIE_NAME in response.cookies:
            response["Cache-Control"] = "private, no-store"
            patch_vary_headers(response, ["Cookie"])
        return response

    return middleware


def known_methods(get_response: GetResponse) -> GetResponse:
    """Answers 405 to a method no page of ours knows; TRACE would echo cookies (security.md §6)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request) if request.method in METHODS else HttpResponseNotAllowed(METHODS)

    return middleware


def no_null_characters(get_response: GetResponse) -> GetResponse:
    """Answers 400 to a form or an address with a null character: nobody types one, and PostgreSQL stores none."""

    def middleware(request: HttpRequest) -> HttpResponse:
        sent = [value for form in (request.GET, request.POST) for _, values in form.lists() for value in values]
        if any("\0" in value for value in (request.path_info, *sent)):
            raise SuspiciousOperation("a null character was sent")
        return get_response(request)

    return middleware
