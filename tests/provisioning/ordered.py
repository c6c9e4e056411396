"""What AddOrder is sent for the order of the tests, and an order that came of it in another way than by the worker."""

from integrations.whmcs.schemas import OrderLineRequest, OrderRequest
from tests.provisioning.doubles import ACTIVATION_PID, CLIENT, ORDER, SERVICE_PID, WhmcsDouble


def request() -> OrderRequest:
    lines = [
        OrderLineRequest(pid, cycle, 1, price, custom_fields={5000 + pid: ORDER})
        for pid, cycle, price in ((SERVICE_PID, "monthly", 4730), (ACTIVATION_PID, "onetime", 3300))
    ]
    return OrderRequest(CLIENT, lines, f"sfOrderId={ORDER}")


def an_order_in_whmcs(whmcs: WhmcsDouble) -> int:
    """A pending order with our mark; its id."""
    return whmcs.put(request()).order_id
