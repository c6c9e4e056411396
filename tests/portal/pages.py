"""Every page that a signed-in customer, a visitor or staff can open without an argument, found in the URLconf."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from django.test import Client
from django.urls import NoReverseMatch, URLResolver, get_resolver, reverse


def names(patterns: Any = None, namespace: str = "") -> Iterator[str]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from names(pattern.url_patterns, inner)
        elif pattern.name:
            yield f"{namespace}{pattern.name}"


def routes(patterns: Any = None, prefix: str = "") -> Iterator[str]:
    """Every pattern of the URLconf as Django writes it, nameless ones too."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, prefix + str(pattern.pattern))
        else:
            yield prefix + str(pattern.pattern)


def addresses() -> dict[str, str]:
    """URL name → path, for all that need no argument."""
    found = {}
    for name in names():
        try:
            found[name] = reverse(name)
        except NoReverseMatch:
            continue
    return found


def is_html(response: Any) -> bool:
    return str(response.headers.get("Content-Type", "")).startswith("text/html")


class Tags(HTMLParser):
    """Every start tag of a page with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str, **attrs: str) -> list[dict[str, str]]:
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attrs.items()}
        return [a for t, a in self.found if t == tag and wanted.items() <= a.items()]

    def one(self, tag: str, **attrs: str) -> dict[str, str]:
        (found,) = self.all(tag, **attrs)
        return found


def opened(client: Client, path: str) -> Tags:
    return Tags(client.get(path).content.decode())


def inline_code(text: str) -> list[str]:
    """What the content security policy would refuse: styles and scripts inside the page."""
    faults = []
    for tag, attrs in Tags(text).found:
        faults += [f"<{tag} {name}>" for name in attrs if name == "style" or re.match(r"on[a-z]+$", name)]
        faults += ["<style>"] if tag == "style" else []
        data = attrs.get("type", "") in {"application/json", "application/ld+json"}
        faults += ["<script>"] if tag == "script" and not attrs.get("src") and not data else []
        faults += [f"javascript: in <{tag}>" for value in attrs.values() if value.strip().startswith("javascript:")]
    return faults
