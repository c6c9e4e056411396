"""An e-mail row as subject, text and HTML, in the recipient's language."""

import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template import Context, Engine
from django.template.loader import render_to_string
from django.utils import translation

from notifications import secrets
from notifications.models import Email


class Unsendable(Exception):
    """The e-mail can never be sent as it is; repeating does not help."""


@dataclass(frozen=True)
class Rendered:
    subject: str
    text: str
    html: str


def render(email: Email, *, with_secret: bool = True) -> Rendered:
    """What `email` says. Links are built from SITE_URL alone, never from a request.

    `with_secret=False` leaves out what only the recipient may read (for the admin).
    Raises Unsendable when the subject would break out of its header.
    """
    secret = secrets.unseal(email.secret_context) if with_secret else {}
    values = {**_surroundings(), **email.context, **secret}
    with translation.override(email.language):
        return Rendered(
            subject=_subject(email.template, values),
            text=_tidy(_plain(f"email/{email.template}.txt", values)),
            html=render_to_string(f"email/{email.template}.html", values),
        )


def _surroundings() -> dict[str, Any]:
    return {
        "site_url": settings.SITE_URL,
        "brand": settings.BRAND_NAME,
        "support_email": settings.SUPPORT_EMAIL,
    }


def _subject(template: str, values: dict[str, Any]) -> str:
    subject = _plain(f"email/{template}.subject.txt", values)
    if not subject or len(subject.splitlines()) != 1:
        raise Unsendable("The subject is empty or has a line break.")
    return subject[:200]


def _tidy(text: str) -> str:
    """One empty line between paragraphs, whatever a template left out. Lines are not cut: each device wraps its own."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"


def _plain(name: str, values: dict[str, Any]) -> str:
    """Text is not HTML: an ampersand in a name stays one."""
    return Engine.get_default().get_template(name).render(Context(values, autoescape=False)).strip()
