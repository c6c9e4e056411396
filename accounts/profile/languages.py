"""The language of a browser: a cookie, so that visitors have one too."""

from django.conf import settings
from django.http import HttpResponse


def keep(response: HttpResponse, language: str) -> None:
    """The browser that gets `response` shows its pages in `language` (en or ja) from then on."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        path=settings.LANGUAGE_COOKIE_PATH,
        domain=settings.LANGUAGE_COOKIE_DOMAIN,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
