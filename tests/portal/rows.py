"""One more row of every table there is, in one customer's hands where that can be."""

import itertools
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.models import ClosingRequest, IdentityCheck, IdentityDocument, ProfileSync, User
from audit.models import AuditEntry
from catalog.models import CatalogSync, EligibilityRequest, Product, WhmcsProduct
from journal.models import RemoteCall, RemoteFact, Round
from notifications.models import Email
from orders.models import AccountRead, Agreement, Cancellation, Cart, Order, OrderEvent, OrderLine, RefreshCursor
from portal.models import AlertEpisode
from provisioning.models import Attempt, EventCursor, InboxEvent, Inspection, Outbox, Pause, Step, Task
from provisioning.ordering import owner_of
from support.models import Case
from tests.accounts.identity.conftest import make_document
from tests.accounts.identity.files import picture
from tests.orders.steps import a_check, fill, lives
from tests.people import make_customer, signed_in
from tests.portal.passkeys import passkey

# One row by design, or made by migrations and never by anybody's deeds.
SINGLE = {"portal.salesforcetoken", "provisioning.pause", "auth.permission", "contenttypes.contenttype"}
_numbers = itertools.count(1)


def rows_of(model: type[models.Model]) -> int:
    return model._default_manager.count()


def growing() -> list[type[models.Model]]:
    """Every table but those of one row; django-rq's pages have a model without a table."""
    return [each for each in apps.get_models() if each._meta.managed and each._meta.label_lower not in SINGLE]


def another(model: type[models.Model], **given: Any) -> Any:
    """A row with the values given, and something plain in every other column that must be filled."""
    n = next(_numbers)
    values = {
        field.name: _plain(field, n)
        for field in model._meta.concrete_fields
        if field.name not in given and not (field.null or field.blank or field.has_default() or field.primary_key)
    }
    return model._default_manager.create(**values, **given)


def _plain(field: Any, n: int) -> Any:
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    if isinstance(field, models.BinaryField):
        return b"x"
    if isinstance(field, models.IntegerField | models.DecimalField):
        return 30000 + n
    if isinstance(field, models.EmailField):
        return f"row{n}@example.jp"
    return f"{field.name} {n}"[: field.max_length or 200]


def one_more(order: Order) -> None:
    """A row more in every table: of the order's customer, in their order, or of somebody new."""
    assert order.user
    user, other, n = order.user, make_customer(), next(_numbers)
    lives(other)
    _of_the_shop(order)
    _of_the_person(user, other, n)
    _of_provisioning(order, n)
    for model, values in (
        (AlertEpisode, {"name": f"alert {n}"}),
        (CatalogSync, {"ok": True, "changed": False}),
        (Product, {"category": "VPN", "broken": ["row"]}),
        (WhmcsProduct, {"monthly": 1}),
        (RefreshCursor, {"name": f"cursor {n}"}),
        (Round, {"name": f"round {n}"}),
        (EventCursor, {"topic": f"/event/{n}"}),
        (Group, {}),
        (Cart, {}),
    ):
        another(model, **values)
    Pause.objects.get_or_create(pk=1)


def _of_the_shop(order: Order) -> None:
    """An order of the same submit whose wish to be cancelled came too late, and one more line in the cart."""
    same = {"user": order.user, "submission": order.submission, "category": order.category, "local_state": "placed"}
    placed = another(Order, **same, sf_status="Pending Review")
    for position in range(2):
        another(OrderLine, order=placed, position=position, item_class="Service", billing_cycle="Monthly", unit_price=1)
    another(Agreement, order=placed, language="en", matters=[])
    another(Cancellation, order=placed, state="too_late")
    another(OrderEvent, order=placed)
    assert order.user
    fill(order.user, "VPN-UK")


def _of_the_person(user: User, other: User, n: int) -> None:
    signed_in(user)
    check = another(IdentityCheck, user=user, state="rejected", submitted_at=timezone.now())
    for side in ("front", "back"):
        make_document(check, picture(), side)
    a_check(user)
    another(EligibilityRequest, prefecture=13)  # a visitor's
    another(ClosingRequest, user=user, state="done")
    another(ProfileSync, user=other)
    another(AccountRead, link=other.link)
    another(Authenticator, user=user, type="webauthn", data=passkey(f"Key {n}"))
    address = another(EmailAddress, user=user, verified=False, primary=False)
    another(EmailConfirmation, email_address=address)
    another(Email, to=user.email, user_id=user.pk, template="welcome", message_id=f"<{n}@example.jp>", state="sent")
    another(Case, user_id=user.pk)
    another(AuditEntry, user_id=user.pk, actor_id=user.pk)
    another(LogEntry, user=other, action_flag=2)


def _of_provisioning(order: Order, n: int) -> None:
    order_id = order.sf_order_id or ""
    event = another(InboxEvent, order_id=order_id, state="accepted")
    attempt = another(Attempt, order_id=order_id, event=event, state="FAILED")
    another(Step, attempt=attempt)
    another(Outbox, attempt=attempt, order_id=order_id, payload={})
    another(Task, attempt=attempt, order_id=order_id)
    another(Inspection, order_id=order_id)
    another(RemoteCall, subject=f"order:{n}", owner=owner_of(attempt.pk), state="DONE")
    another(RemoteFact, subject=f"order:{n}")


def pages_of_rows() -> dict[str, str]:
    """URL name -> path, for the pages that staff see of one row of every table, and of one identity paper."""
    found = {}
    for model, page in admin.site._registry.items():
        if model._meta.managed:
            row = page.get_queryset(HttpRequest()).last()
            assert row is not None, model
            for kind in ("change", "history"):
                name = f"admin:{page.opts.app_label}_{page.opts.model_name}_{kind}"
                found[name] = reverse(name, args=[row.pk])
    paper = IdentityDocument.objects.exclude(check_of__state="draft")[0]
    name = "admin:accounts_identitydocument_open"
    return {**found, name: reverse(name, args=[paper.check_of_id, paper.pk])}
