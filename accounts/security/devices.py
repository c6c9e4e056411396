"""What a browser calls itself, in words a person recognises. Anybody can lie here: for display only."""

from django.utils.translation import gettext as _

# The first match counts: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "SamsungBrowser": "Samsung Internet",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "Mac",
    "CrOS": "Chromebook",
    "Linux": "Linux",
}
HANDHELD = ("iPhone", "iPad", "Android")


def describe(user_agent: str) -> str:
    """Such as "iPhone, Safari"; "Unknown device" when nothing is recognised."""
    known = [word for word in (_first(SYSTEMS, user_agent), _first(BROWSERS, user_agent)) if word]
    return ", ".join(known) or _("Unknown device")


def is_handheld(user_agent: str) -> bool:
    return _first(SYSTEMS, user_agent) in HANDHELD


def _first(names: dict[str, str], user_agent: str) -> str:
    return next((name for mark, name in names.items() if mark in user_agent), "")
