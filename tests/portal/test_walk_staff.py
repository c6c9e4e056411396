"""Rules for every page of staff: a second factor, a group, no deleting, no code inside the page."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import User
from orders.models import Order
from provisioning.models import Attempt
from tests.people import Staff, make_staff, signed_in
from tests.portal.pages import addresses, inline_code, is_html
from tests.portal.queue_pages import pages_with_a_failed_job

pytestmark = pytest.mark.django_db(transaction=True)
SIGN_IN = "/account/login/"


def staff_addresses() -> list[str]:
    own = [path for name, path in addresses().items() if name.startswith("admin:")]
    return sorted(
        {*own, *(f"/admin/{route}" for route in ("django_rq/dashboard/queues/0/", "accounts/user/1/change/"))}
    )


OPEN_TO_ALL = {"/admin/login/", "/admin/logout/", "/admin/jsi18n/"}


def test_staff_pages_open_to_nobody_without_a_second_factor(aiko: User, order: Order) -> None:
    without = make_staff("dan@example.jp", with_totp=False, group="Operator")
    superuser = make_staff("eve@example.jp", with_totp=False)
    superuser.user.is_superuser = True
    superuser.user.save()
    for who in (without, superuser):
        client = signed_in(who.user)
        for path in staff_addresses():
            for method in ("get", "post"):
                assert getattr(client, method)(path)["Location"] == reverse("mfa_activate_totp"), path
    for client in (Client(), signed_in(aiko)):
        for path in set(staff_addresses()) - OPEN_TO_ALL:
            answer = client.get(path)
            assert answer.status_code in {302, 403, 404, 401}, path
            # The page of the portal asks for a sign-in itself.
            elsewhere = (SIGN_IN, "/admin/login/", reverse("account_change_password"))
            assert answer.get("Location", SIGN_IN).startswith(elsewhere), path


def test_staff_without_a_group_read_nothing() -> None:
    client = signed_in(make_staff("fay@example.jp", group="").user)
    for path in staff_addresses():
        if path.count("/") > 3 and "password_change" not in path:
            assert client.get(path).status_code in {302, 403}, path


def test_a_right_that_was_taken_away_is_gone_with_the_next_click(cs_carol: Staff, order: Order) -> None:
    client, orders = signed_in(cs_carol.user), "/admin/orders/order/"
    assert client.get(orders).status_code == 200
    groups = list(cs_carol.user.groups.all())
    cs_carol.user.groups.clear()
    assert client.get(orders).status_code == 403
    cs_carol.user.groups.set(groups)
    assert client.get(orders).status_code == 200
    Authenticator.objects.filter(user=cs_carol.user).delete()
    assert client.get(orders)["Location"] == reverse("mfa_activate_totp")
    User.objects.filter(pk=cs_carol.user.pk).update(is_staff=False)
    assert client.get(orders)["Location"].startswith("/admin/login/")


def test_the_queues_are_for_operators(cs_carol: Staff) -> None:
    agent, operator = signed_in(cs_carol.user), signed_in(make_staff("gus@example.jp", group="Operator").user)
    pages = [path for path in staff_addresses() if "/django_rq/" in path and not path.endswith("/add/")]
    assert len(pages) > 3
    for path in [*pages, "/admin/django_rq/dashboard/queues/0/empty/"]:
        assert agent.get(path).status_code == agent.post(path).status_code == 403, path
        assert operator.get(path).status_code == 200, path
    assert "django_rq" not in agent.get("/admin/").content.decode()


def test_not_even_a_superuser_deletes_anything(rf: Any, order: Order) -> None:
    request = rf.get("/admin/")
    request.user = User.objects.create_superuser("root@example.jp", "x")
    for model, page in admin.site._registry.items():
        assert not page.has_delete_permission(request), model
        assert "delete_selected" not in page.get_actions(request), model


def test_staff_pages_have_nothing_inline(order: Order) -> None:
    """Nor have django-rq's, from which it is taken out."""
    client = signed_in(make_staff("hal@example.jp", group="Operator").user)
    queues = pages_with_a_failed_job()
    for path in [*staff_addresses(), *queues]:
        answer = client.get(path)
        if is_html(answer):
            assert inline_code(answer.content.decode()) == [], path
    assert len(queues) > 15


def test_an_attempt_is_found_by_the_number_the_customer_reads_out(order: Order, cs_carol: Staff) -> None:
    attempt = Attempt.objects.create(
        order_id=order.sf_order_id or "", idem_key="key-1", correlation_id="correlation-1", whmcs_order_id=4711
    )
    client = signed_in(cs_carol.user)
    for term in (order.number.lower(), attempt.order_id, attempt.order_id[:15], "key-1", "correlation-1", "4711"):
        page = client.get("/admin/provisioning/attempt/", {"q": term}).content.decode()
        assert f"/admin/provisioning/attempt/{attempt.pk}/change/" in page, term
    assert "/change/" not in client.get("/admin/provisioning/attempt/", {"q": "SX-0000-001"}).content.decode()
