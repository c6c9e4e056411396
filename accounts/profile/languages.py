"""The language of a browser: a cookie, so that visitors have one too; another says that it was chosen there."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

CHOSEN_COOKIE = f"{settings.COOKIE_PREFIX}language_chosen"


def keep(response: HttpResponse, language: str) -> None:
    """The browser that gets `response` shows its pages in `language` (en or ja) until somebody else signs in there."""
    _set(response, settings.LANGUAGE_COOKIE_NAME, language)


def choose(response: HttpResponse, language: str) -> None:
    """The browser that gets `response` shows its pages in `language` (en or ja) from then on, whoever signs in."""
    keep(response, language)
    _set(response, CHOSEN_COOKIE, "yes")


def is_chosen(request: HttpRequest) -> bool:
    """Whether somebody chose a language in the browser that asks."""
    return CHOSEN_COOKIE in request.COOKIES


def _set(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        path=settings.LANGUAGE_COOKIE_PATH,
        domain=settings.LANGUAGE_COOKIE_DOMAIN,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
