"""WHMCS hangs: nobody waits for it in front of a page for as long as a worker would."""

import uuid
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse

from accounts.models import User
from integrations import gateway
from tests.faults import Faults
from tests.people import make_customer, signed_in
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer(sandbox: Sandbox) -> User:
    cache.clear()
    email = f"{uuid.uuid4().hex[:8]}@example.jp"
    client = gateway.whmcs().add_client(
        email=email, given_name="Aiko", family_name="Sato", language="en", customer_number=uuid.uuid4().hex[:8]
    )
    return make_customer(email, whmcs_client_id=client)


def test_pages_about_billing_say_soon_that_it_does_not_answer_and_workers_wait(
    customer: User, faults: Faults, settings: Any
) -> None:
    settings.PAGE_DEADLINE_S = 0.2
    slow = faults.slow("whmcs", ms=700, always=True)
    browser = signed_in(customer)
    assert "They keep working" in browser.get(reverse("services")).content.decode()
    assert "We cannot ask our billing service just now" in browser.get(reverse("payment_methods")).content.decode()
    left = browser.post(reverse("payment_sso"), follow=True).content.decode()
    assert "Our billing service cannot be reached just now." in left
    assert gateway.whmcs().services(customer.link.whmcs_client_id or 0) == [], "an answer, though a late one"
    slow.remove()
    assert "No services yet" in browser.get(reverse("services")).content.decode()
