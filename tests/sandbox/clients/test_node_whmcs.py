"""npm `whmcs`, unmodified, on the wire: whmcs-wire §7, acceptance checks 1, 3 and 7.

It sends the credentials under their old names, actions in lower case, flags as words, and wants JSON even of a 403.
"""

import hashlib
import uuid

import pytest

from tests.sandbox.clients.node import Node, require_clients
from tests.sandbox_process import Sandbox


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    require_clients()


def test_a_customer_orders_and_is_billed(sandbox_process: Sandbox) -> None:
    facts = {
        "email": f"emi-{uuid.uuid4().hex}@example.jp",
        "admin_md5": hashlib.md5(b"sandbox-admin").hexdigest(),
        "access_key": "sandbox-access-key",
    }
    said = Node(sandbox_process, "whmcs/shop", **facts).finish()
    assert said == [
        {"customer": "恵美 Sato"},
        {"twice": "WHMCS Error (200): The email address entered is not available for use."},
        {"services": [2, 1]},  # a repeated plain name is its last value for PHP
        {"accepted": "success"},
        {"again": "WHMCS Error (200): Order ID not found or Status not Pending"},
        {"invoice": ["Cancelled", "Cable"], "invoices": 3},
        {"stranger": "WHMCS Error (403): Invalid or missing credentials"},
    ]
