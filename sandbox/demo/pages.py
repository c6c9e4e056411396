"""A customer without JavaScript: opens pages and sends their forms, as a browser would."""

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

TIMEOUT_S = 60
ASKING = {409, 422}  # a page that wants something corrected or confirmed


@dataclass
class Form:
    action: str
    method: str
    values: dict[str, str]


class _Forms(HTMLParser):
    """Collects the forms of a page with the values they would send untouched."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(found.get("action", ""), found.get("method", "get").lower(), {}))
        elif self.forms and tag == "input":
            self._input(found)
        elif self.forms and tag == "select":
            self._select = found.get("name", "")
        elif self.forms and tag == "option" and self._select:
            if "selected" in found or self._select not in self.forms[-1].values:
                self.forms[-1].values[self._select] = found.get("value", "")
        elif self.forms and tag == "textarea":
            self.forms[-1].values.setdefault(found.get("name", ""), "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""

    def _input(self, found: dict[str, str]) -> None:
        kind, name, values = found.get("type", "text"), found.get("name", ""), self.forms[-1].values
        if not name or kind == "submit":
            return
        if kind in {"radio", "checkbox"}:
            if "checked" in found:
                values[name] = found.get("value", "on")
            return
        values[name] = found.get("value", "")


class Page:
    """An answer and the forms on it."""

    def __init__(self, answer: requests.Response) -> None:
        self.url, self.status, self.text = answer.url, answer.status_code, answer.text
        parser = _Forms()
        parser.feed(answer.text)
        self.forms = parser.forms

    def form(self, *fields: str, action: str = "") -> Form:
        """The first form that has all `fields` and whose action contains `action`."""
        for form in self.forms:
            if action in form.action and all(name in form.values for name in fields):
                return form
        raise LookupError(f"{self.url} has no form with {fields or action}")


class Visitor:
    """One person with one cookie jar."""

    def __init__(self, site_url: str, *, language: str = "en") -> None:
        self.site_url = site_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Accept-Language"] = language

    @property
    def cookies(self) -> dict[str, str]:
        """What the browser would send: the session, the language."""
        return {name: value or "" for name, value in self._session.cookies.items()}

    def open(self, path: str) -> Page:
        """GETs a path of the portal or a whole address; raises HTTPError for anything but a page."""
        return self._page(self._session.get(urljoin(self.site_url, path), timeout=TIMEOUT_S))

    def json(self, path: str) -> dict[str, object]:
        headers = {"Accept": "application/json"}
        answer = self._session.get(urljoin(self.site_url, path), headers=headers, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return dict(answer.json())

    def send(self, page: Page, form: Form, **values: str) -> Page:
        """Sends `form` with what it holds and `values` over it."""
        address = urljoin(page.url, form.action or page.url)
        filled = {**form.values, **values}
        headers = {"Referer": page.url, "Origin": "/".join(page.url.split("/")[:3])}
        return self._page(self._session.request(form.method, address, data=filled, headers=headers, timeout=TIMEOUT_S))

    @staticmethod
    def _page(answer: requests.Response) -> Page:
        if answer.status_code not in ASKING:
            answer.raise_for_status()
        return Page(answer)
