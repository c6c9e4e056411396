"""`make bench-burst`: many orders approved at once; what becomes of them, of the processes and of the pages."""

import argparse
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import requests

from benchmarks.sandbox.memory import make_account, make_client, rss_mb
from sandbox.config import Config
from sandbox.demo.stack import Ports, Stack
from sandbox.salesforce.seed import INTEGRATION_USERNAME
from sandbox.whmcs.cards import TEST_NUMBER, add_card
from sandbox.world import World

SKU = "VPN-US"
ORDERS = 10_000
EACH = 5  # orders of one customer
PROVISIONING_WORKERS = 4
PAGES = 200
PATIENCE_S = 3600
Say = Callable[[str], None]

TERMINAL = "SELECT count(*) FROM provisioning_attempt WHERE state IN ('PROVISIONED', 'FAILED', 'SKIPPED')"
STATES = "SELECT state, count(*) FROM provisioning_attempt GROUP BY state ORDER BY state"
UNREPORTED = "SELECT count(*) FROM provisioning_outbox WHERE state = 'PENDING'"
STORED = "SELECT count(*), extract(epoch FROM max(received_at) - min(received_at)) FROM provisioning_inboxevent"
SPAN = "SELECT extract(epoch FROM max(finished_at) - min(started_at)) FROM provisioning_attempt"
MORE_THAN_ONE = "SELECT count(*) FROM (SELECT order_id FROM provisioning_attempt GROUP BY 1 HAVING count(*) > 1) twice"
# How far an attempt was claimed from its turn: 0 is strictly in the order in which the events arrived.
OUT_OF_TURN = """
    SELECT max(abs(claimed - arrived)) FROM (
        SELECT row_number() OVER (ORDER BY started_at) AS claimed, row_number() OVER (ORDER BY event_id) AS arrived
        FROM provisioning_attempt
    ) turns
"""


@dataclass(frozen=True)
class Result:
    """What a burst came to; seconds, megabytes, milliseconds."""

    orders: int
    states: dict[str, int]
    intake_s: float
    all_s: float
    out_of_turn: int
    more_than_one: int
    accepted: int
    subscriber_mb: tuple[float, float, float]  # before, after the intake, at the end
    pages_ms: tuple[float, float]  # p95 idle, p95 meanwhile


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-burst", description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS, help="how many orders (%(default)s)")
    report(run(parser.parse_args().orders, say))
    return 0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def report(result: Result) -> None:
    """The figures beside what they are to be."""
    before, stored, after = result.subscriber_mb
    idle, busy = result.pages_ms
    ends = ", ".join(f"{count} {state}" for state, count in result.states.items())
    say(f"\n{result.orders} approvals at once, {PROVISIONING_WORKERS} workers")
    say(f"  ends                 {ends}; accepted by WHMCS: {result.accepted}; to be: {result.orders} of each")
    say(f"  more than one try    {result.more_than_one} orders   to be 0")
    say(f"  stored within        {result.intake_s:.1f} s, {result.orders / max(result.intake_s, 0.001):.0f} events/s")
    say(f"  all provisioned      {result.all_s:.0f} s, {result.orders / max(result.all_s, 0.001):.1f} orders/s")
    say(f"  furthest out of turn {result.out_of_turn} places")
    say(f"  subscriber           {before:.0f} MB before, {stored:.0f} MB with all stored, {after:.0f} MB at the end")
    say(f"  a page, p95          {idle:.0f} ms idle, {busy:.0f} ms meanwhile   to be at most twice")


def run(orders: int, say: Say) -> Result:
    """Makes the orders, approves them all while nobody listens, lets the portal loose and waits for the last one."""
    with tempfile.TemporaryDirectory(prefix="portal-burst-") as folder:
        stack = Stack(Path(folder), ports=Ports.free(), durable=False, say=say)
        say(f"Making {orders} orders that wait for approval")
        waiting = make_orders(Path(folder) / "outside", orders)
        try:
            stack.start()
            for number in range(1, PROVISIONING_WORKERS):
                stack.start_worker("provisioning", number)
            return _burst(stack, waiting, say)
        finally:
            stack.stop()


def make_orders(state: Path, orders: int) -> list[str]:
    """Orders of customers who have a card, as CS would find them; returns their ids."""
    made = []
    with closing(World(Config(state=state))) as world:
        user = world.org.user_named(INTEGRATION_USERNAME)
        entry = _entry(world)
        for number in range(1, orders + 1):
            if number % EACH == 1:
                account, client = make_account(world, number), make_client(world, number)
                world.org.update("Account", account, {"WH_Account__c": str(client)}, user)
                with world.whmcs.caller(""):
                    add_card(world.whmcs, client, TEST_NUMBER, "12/30")
            made.append(_make_order(world, account, entry, number, user))
    return made


def _entry(world: World) -> dict[str, Any]:
    (product,) = world.org.find("Product2", "StockKeepingUnit", SKU)
    return dict(world.org.find("PricebookEntry", "Product2Id", product["Id"])[0])


def _make_order(world: World, account: str, entry: dict[str, Any], number: int, user: str) -> str:
    head = {
        "AccountId": account,
        "Pricebook2Id": entry["Pricebook2Id"],
        "EffectiveDate": "2026-11-21",
        "Status": "Pending Review",
        "Activation_Status__c": "Pending Review",
        "Portal_Correlation_Id__c": f"burst-{number:08}",
    }
    item = {"PricebookEntryId": entry["Id"], "Quantity": 1, "UnitPrice": entry["UnitPrice"]}
    with world.org.store.transaction():
        order = world.org.create("Order", head, user)
        world.org.create("OrderItem", {**item, "OrderId": order, "Billing_Cycle__c": "Monthly"}, user)
    return order


def _burst(stack: Stack, waiting: list[str], say: Say) -> Result:
    subscriber = stack.processes["subscriber"].pid
    at_first = rss_mb(subscriber)
    idle = _p95(_pages(stack, PAGES))
    say("Approving them while the subscriber stands still")
    with _standing_still(stack):
        for order in waiting:
            address = f"{stack.ready['people_url']}/control/desk/orders/{order}/approve"
            requests.post(address, timeout=30).raise_for_status()
    say("Letting it go")
    with _visitor(stack) as meanwhile, psycopg.connect(stack.env["DATABASE_URL"], autocommit=True) as database:
        _until(database, STORED, len(waiting), stack, say)
        after_intake = rss_mb(subscriber)
        _until(database, TERMINAL, len(waiting), stack, say)
        _until_none(database, UNREPORTED)
        stored = database.execute(STORED).fetchone() or (0, 0.0)
        return Result(
            orders=len(waiting),
            states={str(state): int(count) for state, count in database.execute(STATES)},
            intake_s=float(stored[1]),
            all_s=float(_one(database, SPAN)),
            out_of_turn=int(_one(database, OUT_OF_TURN)),
            more_than_one=int(_one(database, MORE_THAN_ONE)),
            accepted=_accepted(stack),
            subscriber_mb=(at_first, after_intake, rss_mb(subscriber)),
            pages_ms=(idle, _p95(meanwhile)),
        )


@contextmanager
def _standing_still(stack: Stack) -> Iterator[None]:
    """The subscriber is not connected meanwhile, and then gets everything at once."""
    process = stack.processes["subscriber"]
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@contextmanager
def _visitor(stack: Stack) -> Iterator[list[float]]:
    """Somebody who looks at pages all the while; the milliseconds they took."""
    times: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.25):
            times.extend(_pages(stack, 1))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield times
    finally:
        over.set()
        thread.join()


def _pages(stack: Stack, count: int) -> Iterator[float]:
    for _ in range(count):
        began = time.perf_counter()
        requests.get(f"{stack.site_url}/plans/vpn/", timeout=60).raise_for_status()
        yield (time.perf_counter() - began) * 1000


def _p95(times: Iterable[float]) -> float:
    return float(statistics.quantiles(times, n=20)[-1])


def _until(database: "psycopg.Connection[Any]", query: str, count: int, stack: Stack, say: Say) -> None:
    pause, began, told = threading.Event(), time.monotonic(), 0.0
    while (now := int(_one(database, query))) < count:
        stack.check()
        if time.monotonic() - began > PATIENCE_S:
            raise TimeoutError(f"{now} of {count} after {PATIENCE_S} s")
        if time.monotonic() - told > 30:
            say(f"  {now} of {count}")
            told = time.monotonic()
        pause.wait(0.5)


def _until_none(database: "psycopg.Connection[Any]", query: str) -> None:
    pause = threading.Event()
    while _one(database, query):
        pause.wait(0.5)


def _one(database: "psycopg.Connection[Any]", query: str) -> Any:
    row = database.execute(query.encode()).fetchone()
    return (row[0] if row else 0) or 0


def _accepted(stack: Stack) -> int:
    counted = requests.get(
        f"{stack.ready['people_url']}/control/ledger/count?system=whmcs&operation=AcceptOrder", timeout=60
    )
    return int(counted.json()["count"])


if __name__ == "__main__":
    sys.exit(main())
