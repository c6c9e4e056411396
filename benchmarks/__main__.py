"""`make bench`: approval → Provisioned, what pages cost, remote calls of each operation, how fast events come in."""

import json
import statistics
import sys
import tempfile
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from benchmarks import budget, first_page, intake, pages
from sandbox.demo.customer import Customer, Person, until
from sandbox.demo.stack import Ports, Stack
from sandbox.embedded.processes import CannotStart

ORDERS = 12
BUDGET = {"salesforce": 2, "whmcs": 6}  # provisioning one order, first attempt
VPN = "/plans/vpn/"


def main() -> int:
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else ORDERS
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        stack = Stack(Path(folder), ports=Ports.free(), durable=False, say=lambda text: say(f"  {text}"))
        try:
            stack.start()
            rows = [one(stack, number) for number in range(orders)]
            report(rows)
            first_page.measure(stack.site_url, rows[-1]["order"], rows[-1]["cookies"], say)
            stack.stop()
            pages.measure(say)
            budget.measure(say)
            intake.measure(intake.EVENTS, intake.MANY, say)
        except CannotStart as error:
            sys.stderr.write(f"bench: {error}\n")
            return 2
        finally:
            stack.stop()
    return 0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def one(stack: Stack, number: int) -> dict[str, Any]:
    """One new customer's VPN order; returns seconds and remote calls from approval to the write-back."""
    customer = Customer(stack.site_url, stack.ready, Person(f"bench{number}@example.jp", "Bench", f"No{number}"))
    customer.sign_up()
    path = next(part for part in _links(customer.visitor.open(VPN).text) if part.startswith(VPN) and part != VPN)
    customer.add_to_cart(path)
    customer.add_card()
    order_path = customer.place_order()
    order_id = str(customer.status(order_path)["sf_order_id"])
    before = _newest(stack)
    requests.post(f"{stack.ready['people_url']}/control/desk/orders/{order_id}/approve", timeout=15).raise_for_status()
    written = until(lambda: _moment(stack, before, order_id, "sobjects.update Order"), "The write-back")
    seconds, cookies = written - _moment(stack, before, order_id, "event.publish"), customer.visitor.cookies
    return {"seconds": seconds, "calls": _calls(stack, before), "order": order_path, "cookies": cookies}


def _links(text: str) -> list[str]:
    return [part.split('"')[0] for part in text.split('href="')[1:]]


def _ledger(stack: Stack, after: int = 0) -> list[dict[str, Any]]:
    rows = requests.get(f"{stack.ready['people_url']}/control/ledger?after={after}", timeout=15).json()["rows"]
    return list(rows)


def _newest(stack: Stack) -> int:
    address = f"{stack.ready['people_url']}/control/ledger?order=newest&limit=1"
    return int(requests.get(address, timeout=15).json()["rows"][0]["number"])


def _moment(stack: Stack, after: int, order_id: str, what: str) -> float:
    """When Salesforce did `what` for this order, as seconds; 0 when it has not yet."""
    for row in _ledger(stack, after):
        text = json.dumps([row["operation"], row["key"], row["detail"]])
        if order_id in text and what in text:
            return datetime.fromisoformat(str(row["at"])).timestamp()
    return 0


def _calls(stack: Stack, after: int) -> dict[str, Counter[str]]:
    """Calls under the order's correlation id, which AddOrder carried; other work of the portal is not this order's."""
    calls: dict[str, Counter[str]] = {"salesforce": Counter(), "whmcs": Counter()}
    rows = _ledger(stack, after)
    mine = next(row["correlation_id"] for row in rows if row["operation"] == "AddOrder")
    for row in rows:
        if row["correlation_id"] == mine and row["system"] in calls and _counts(str(row["operation"])):
            calls[row["system"]][row["operation"]] += 1
    return calls


def _counts(operation: str) -> bool:
    """A sub-request of a Composite is not a call of its own, and a token lasts for many orders."""
    return operation not in {"composite/subrequest", "token", "event.publish", "module.create"}


def report(rows: list[dict[str, Any]]) -> None:
    seconds = sorted(row["seconds"] for row in rows)
    say(f"\nApproval → written back as Provisioned, {len(rows)} orders one after the other, no latency outside")
    p95 = seconds[min(len(seconds) - 1, round(0.95 * len(seconds)))]
    say(f"  median {statistics.median(seconds) * 1000:6.0f} ms   target (without the outside's own time) 100 ms")
    say(f"  p95    {p95 * 1000:6.0f} ms   target (without the outside's own time) 250 ms")
    say("\nRemote calls of one order, approval to write-back")
    for system, allowed in BUDGET.items():
        totals = [sum(row["calls"][system].values()) for row in rows]
        names = ", ".join(f"{name} × {count}" for name, count in rows[-1]["calls"][system].items())
        say(f"  {system:10} median {statistics.median(totals):3.0f}   budget {allowed}   ({names})")


if __name__ == "__main__":
    sys.exit(main())
