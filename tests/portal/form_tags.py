"""The forms of a page, filled in as a browser and its user would send them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.people import PASSWORD
from tests.portal.pages import Tags

TYPED = {
    "password": PASSWORD,
    "oldpassword": PASSWORD,
    "login": "aiko@example.jp",
    "code": "123456",
    "password1": "another quiet harbour",
    "password2": "another quiet harbour",
    "number": "104882",
    "given_name": "Aiko",
    "family_name": "Sato",
    "postal_code": "108-0023",
    "prefecture": "13",
    "city": "港区",
    "street": "芝浦3-12-8",
    "phone": "080-5521-0147",
    "email": "somebody.new@example.jp",
    "source": "new",
    "home": "flat",
    "paper": "passport",
}


@dataclass(frozen=True)
class Form:
    """Where a page's form goes, and what a browser would send; `asks_for` are the names of its fields."""

    action: str
    fields: tuple[tuple[str, str], ...]
    files: tuple[str, ...] = ()

    @property
    def asks_for(self) -> tuple[str, tuple[str, ...]]:
        return self.action, tuple(sorted({*dict(self.fields), *self.files}))


@dataclass
class _Reading:
    """A form while its page is read."""

    attrs: dict[str, str]
    sent: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    buttons: list[dict[str, str]] = field(default_factory=list)


def forms_of(page: str, path: str) -> Iterator[Form]:
    """Each form that is sent by POST, once for each of its buttons; boxes ticked, the first choice chosen."""
    for form in _read(page):
        if form.attrs.get("method", "").lower() == "post":
            for button in form.buttons or [{}]:
                pressed = {button["name"]: button.get("value", "")} if button.get("name") else {}
                action = button.get("formaction") or form.attrs.get("action") or path
                yield Form(action, tuple({**form.sent, **pressed}.items()), tuple(form.files))


def _read(page: str) -> list[_Reading]:
    forms: list[_Reading] = []
    for tag, attrs in Tags(page).found:
        if tag == "form":
            forms.append(_Reading(attrs))
        of = [form for form in forms if form.attrs.get("id") == attrs["form"]] if "form" in attrs else forms[-1:]
        for form in of:
            _note(form, tag, attrs)
    return forms


def _note(form: _Reading, tag: str, attrs: dict[str, str]) -> None:
    name, kind = attrs.get("name", ""), attrs.get("type", "")
    if (tag == "button" and kind != "button") or kind == "submit":
        form.buttons.append(attrs)
    elif kind == "file":
        form.files.append(name)
    elif tag in {"input", "select", "textarea"} and name:
        given = attrs.get("value") or ("on" if kind == "checkbox" else "")
        form.sent[name] = TYPED.get(name) or form.sent.get(name) or given
