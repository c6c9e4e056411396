"""Markup in what people type stays text: on every page, in every mail, in the admin (security.md §3).

The forms refuse such names; here they lie in the database already, as an import or Salesforce might have left them.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from notifications.models import Email
from notifications.rendering import render
from orders.models import Order, OrderEvent, OrderLine
from support.models import Case
from tests.orders.steps import fill, lives
from tests.people import make_staff, signed_in
from tests.portal.pages import addresses, inline_code, is_html
from tests.portal.test_walk import everywhere

SCRIPT, IMAGE = "<script>alert('x')</script>", "\"'><img src=x onerror=alert(1)>"
ESCAPED = "&lt;script&gt;alert("
MAILS = Path(__file__).resolve().parents[2] / "templates/email"
TEMPLATES = sorted(path.stem for path in MAILS.glob("*.html") if path.stem != "base" and path.stem[0] != "_")


def hostile(field: Any) -> str:
    return (SCRIPT + IMAGE)[: field.max_length or 200]


def poison(row: Any, *but: str) -> None:
    """Markup in every text of the row that says nothing to the program."""
    texts = [field for field in row._meta.concrete_fields if type(field) in {models.CharField, models.TextField}]
    named = [field for field in texts if not field.choices and not field.unique and field.name not in but]
    type(row).objects.filter(pk=row.pk).update(**{field.name: hostile(field) for field in named})


@pytest.fixture
def poisoned(order: Order, aiko: User) -> Order:
    """Aiko, her address, her order and her support case are full of markup."""
    poison(aiko, "password", "phone", "terms_version")
    poison(lives(aiko), "postal_code")
    poison(aiko.link, "identity_status", "portal_status", "sf_account_id")
    poison(
        order,
        "sf_status",
        "sf_activation_status",
        "category",
        "sf_order_id",
        "portal_ref",
        "sf_account_id",
        "terms_version",
    )
    for line in OrderLine.objects.filter(order=order):
        poison(line, "sku", "item_class", "billing_cycle")
    OrderEvent.objects.create(order=order, what="placed", actor=SCRIPT)
    poison(Case.objects.create(cause="x:1", user_id=aiko.pk, next_try_at=timezone.now()))
    fill(aiko, "VPN-US")
    return order


def faults(page: str) -> list[str]:
    return inline_code(page) + [each for each in ("<script>alert", "<img src=x") if each in page]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_on_a_customers_pages(poisoned: Order, aiko: User, language: str) -> None:
    client, shown = signed_in(aiko), set()
    client.cookies["language"] = language
    for name, path in everywhere(poisoned, 1).items():
        answer = client.get(path, follow=True)
        page = "" if answer.streaming or not is_html(answer) else answer.content.decode()
        assert faults(page) == [], name
        shown |= {name} if ESCAPED in page else set()
        client = client if aiko.pk and "_auth_user_id" in client.session else signed_in(aiko)
    assert {"account_setup", "address", "orders/<order_number:number>/"} & shown, "nothing hostile was shown at all"


def staff_pages() -> list[str]:
    """Every list, and the page of every row there is."""
    rows: list[str] = []
    for model, page in admin.site._registry.items():
        if apps.get_app_config(model._meta.app_label).name in {"django_rq"}:
            continue
        about = page.opts
        rows += [
            reverse(f"admin:{about.app_label}_{about.model_name}_change", args=[row.pk])
            for row in model._default_manager.all()[:3]
        ]
    return [*(path for path in addresses().values() if path.startswith("/admin/") and "django_rq" not in path), *rows]


@pytest.mark.django_db(transaction=True)
def test_on_the_pages_of_staff(poisoned: Order, aiko: User) -> None:
    operator = make_staff("hal@example.jp", group="Operator")
    operator.user.is_superuser = True
    operator.user.save()
    client, shown = signed_in(operator.user), 0
    paths = [*staff_pages(), f"/admin/accounts/user/?q={SCRIPT}", f"/admin/orders/order/?q={SCRIPT}"]
    for path in paths:
        if path == "/admin/logout/":
            continue
        answer = client.get(path)
        assert answer.status_code < 500, path
        page = answer.content.decode() if is_html(answer) else ""
        assert faults(page) == [], path
        shown += ESCAPED in page
    assert shown >= 4


class Markup(str):
    """Stands for any value of a mail's context: a text, a list of one, and a thing whose every field is it again.

    But for sums and how often they are paid, which are worked with.
    """

    WORKED_WITH: ClassVar[dict[str, Any]] = {"cycle": "Monthly"} | dict.fromkeys(
        ("price", "monthly", "yearly", "one_time"), 4730
    )

    def __iter__(self) -> Iterator[str]:
        return iter([self])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.WORKED_WITH.get(name, self)


def context_of(template: str) -> dict[str, str]:
    """Every word of the templates as a name for markup, but those that lead into our own pages or name an event."""
    texts = [path.read_text() for path in MAILS.glob(f"{template}.*")]
    words = set(re.findall(r"\b[a-z_]{2,}\b", " ".join(texts)))
    ours = {"brand", "site_url", "support_email", "event"}
    return {"event": "password_changed", **dict.fromkeys(words - ours, Markup(SCRIPT + IMAGE))}


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_in_every_mail(template: str, language: str) -> None:
    email = Email(template=template, to="aiko@example.jp", language=language, context=context_of(template))
    told = render(email)
    assert faults(told.html.replace(' style="', ' data-style="')) == []  # a mail has its styles inside
    assert "\n" not in told.subject
