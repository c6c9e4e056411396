"""A form sets what it asks and nothing else, whatever else is sent with it (security.md §2: mass assignment).

Every address takes a form with a forged value for every column there is, and every form of every page is sent as a
browser would send it, with the same values beside its own.
"""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models
from django.db.models import Q
from django.test import Client
from django.urls import reverse

from accounts.models import CustomerLink, User
from orders.models import CartLine, Order, OrderLine
from tests.accounts.identity.files import picture
from tests.orders.steps import fill
from tests.people import PASSWORD, make_staff, make_user, signed_in
from tests.portal.form_tags import Form, forms_of
from tests.portal.pages import addresses, is_html
from tests.portal.rows import one_more, pages_of_rows, rows_of
from tests.portal.test_walk import everywhere

pytestmark = pytest.mark.django_db(transaction=True)  # some pages ask WHMCS
WORD, NUMBER, DAY = "forged-value", "987654321", "1999-09-09"
ID = "f0f0f0f0-f0f0-4f0f-8f0f-f0f0f0f0f0f0"
PEOPLE = ("aiko@example.jp", "newcomer@example.jp", "hal@example.jp")


def forged() -> dict[str, str]:
    """For every column of ours a value nobody gave, under the column's name and, for a reference, its id's."""
    ours = [model for model in apps.get_models() if not model.__module__.startswith(("django.", "allauth"))]
    values: dict[str, str] = {}
    for field in (field for model in ours for field in model._meta.concrete_fields):
        values |= {field.name: _forged(field), field.attname: _forged(field)}
    del values["quantity"]  # the shop asks for it: how many of one line
    return values | {"price": NUMBER, "total": NUMBER, "status": WORD, "groups": "1", "user_permissions": "1"}


def _forged(field: Any) -> str:
    kinds: list[tuple[Any, str]] = [
        (models.BooleanField, "on"),
        (models.UUIDField, ID),
        (models.DateTimeField, f"{DAY} 12:00"),
        (models.DateField, DAY),
        ((models.IntegerField, models.DecimalField, models.ForeignKey), NUMBER),
        (models.JSONField, json.dumps({WORD: WORD})),
    ]
    return next((value for kind, value in kinds if isinstance(field, kind)), WORD)


def forged_rows() -> list[str]:
    """Every row with a forged value, as PostgreSQL writes it; what a session holds is signed and not looked into."""
    found: list[str] = []
    with connection.cursor() as cursor:
        for model in (each for each in apps.get_models() if each._meta.managed):
            table = connection.ops.quote_name(model._meta.db_table)
            marks = " OR ".join(f"row.*::text LIKE '%%{each}%%'" for each in (WORD, NUMBER, DAY, ID))
            cursor.execute(f"SELECT row.*::text FROM {table} row WHERE {marks}")
            found += [f"{model._meta.label}: {text}" for (text,) in cursor.fetchall()]
    return found


def rights() -> list[Any]:
    """Who may do what, who is who in the other systems, and what was agreed to be paid."""
    people = User.objects.order_by("pk").values("email", "is_staff", "is_superuser", "is_active", "groups")
    links = CustomerLink.objects.filter(user__email__in=PEOPLE).order_by("pk")
    ids = links.values("user", "state", "sf_account_id", "whmcs_client_id", "identity_status", "internet_eligibility")
    first = Order.objects.order_by("pk")[:1]
    prices = OrderLine.objects.filter(order__in=first).order_by("pk").values("sku", "unit_price", "quantity")
    states = Order.objects.filter(pk__in=first).values("user", "local_state", "sf_status", "sf_order_id", "progress")
    return [*people.filter(email__in=PEOPLE), *ids, *prices, *states]


class Browser:
    """Signed in, with the password given once more; signs in again after a form that ended the session."""

    def __init__(self, user: User | None, makes: Collection[str] = ()) -> None:
        self.user, self.makes, self.client, self.forged = user, makes, Client(), forged()
        self.sent: dict[Any, int] = {}
        self.made: set[str] = set()  # those of `makes` (labels of models) of which a form made one more
        self._come_back()

    def look_and_send(self, path: str) -> None:
        """Opens the page, sends its forms that were not sent yet, and a form that nobody wrote."""
        page = self.client.get(path)
        for form in forms_of(page.content.decode() if is_html(page) else "", path):
            if form.asks_for not in self.sent and "://" not in form.action:
                self.sent[form.asks_for] = self.send(form)
        self.sent[path] = self.send(Form(path, ()))

    def send(self, form: Form) -> int:
        cache.clear()  # how often one may try
        files = {name: SimpleUploadedFile("paper.jpg", picture(), "image/jpeg") for name in form.files}
        before = {label: rows_of(apps.get_model(label)) for label in self.makes}
        status = self.client.post(form.action, {**self.forged, **dict(form.fields), **files}).status_code
        assert status < 500, form
        self.made |= {label for label, rows in before.items() if rows_of(apps.get_model(label)) > rows}
        if any("password" in name for name, _ in form.fields) or "_auth_user_id" not in self.client.session:
            self._come_back()
        return status

    def _come_back(self) -> None:
        self.client = Client()
        if self.user is not None:
            self.user.refresh_from_db()
            self.user.set_password(PASSWORD)
            self.user.is_active = True
            self.user.save()
            self.client = signed_in(self.user)
            self.client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


@pytest.fixture(autouse=True)
def _room(settings: Any, tmp_path: Path) -> None:
    """Forms may have as many fields as there are columns; hashing costs nothing; papers go to a place of their own."""
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.IDENTITY_DIR = tmp_path / "papers"


def nothing_was_forged(before: list[Any]) -> None:
    assert forged_rows() == []
    assert rights() == before
    assert not User.objects.exclude(email__in=PEOPLE).filter(Q(is_staff=True) | Q(is_superuser=True)).exists()


# What a form of theirs makes: a form that is refused would prove nothing.
MADE = {
    "a visitor": {"accounts.User", "orders.CartLine", "catalog.EligibilityRequest"},
    "somebody new": {"accounts.Address", "orders.CartLine", "catalog.EligibilityRequest"},
    "a customer": {"orders.Order", "accounts.IdentityDocument", "accounts.ClosingRequest"},
}


@pytest.mark.parametrize("who", MADE)
def test_what_a_form_does_not_ask_is_not_set_by_it(order: Order, aiko: User, who: str) -> None:
    newcomer = make_user("newcomer@example.jp")
    line = fill(aiko, "VPN-UK").lines.get()
    places, before = everywhere(order, line.pk), rights()
    browser = Browser({"a visitor": None, "somebody new": newcomer, "a customer": aiko}[who], makes=MADE[who])
    for path in places.values():
        if not CartLine.objects.filter(cart__user=aiko, cart__closed_at=None).exists():
            fill(aiko, "VPN-UK")
        browser.look_and_send(path)
    nothing_was_forged(before)
    assert browser.made == MADE[who], browser.sent


def test_neither_is_it_by_a_form_of_staff(order: Order) -> None:
    """All groups together, at every address of the admin and every row's."""
    one_more(order)
    staff = make_staff("hal@example.jp", group="Operator").user
    staff.groups.set(Group.objects.filter(name__in=["CS agent", "CS lead", "Operator"]))
    before, browser = rights(), Browser(staff)
    del browser.forged["reason"]  # which decisions ask for
    for path in [*addresses().values(), *pages_of_rows().values()]:
        if path.startswith("/admin/"):
            browser.send(Form(path, ()))
    nothing_was_forged(before)
