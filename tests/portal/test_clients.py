"""No client of an outside system makes a call while a database transaction is open (reliability.md C28)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from integrations import gateway

CALLS: dict[str, Callable[[], object]] = {
    "salesforce": lambda: gateway.salesforce().order_for_provisioning("801000000000001AAA"),
    "whmcs": lambda: gateway.whmcs().services(7),
    "esim": lambda: gateway.esim().ticket("t-1"),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_inside_a_transaction_is_refused_before_anything_is_sent(
    call: Callable[[], object], settings: Any
) -> None:
    settings.ESIM_API_URL, settings.ESIM_API_KEY = "https://esim.invalid", "key"
    gateway.forget()
    with transaction.atomic(), pytest.raises(RuntimeError, match="remote call inside a transaction"):
        call()
    gateway.forget()
