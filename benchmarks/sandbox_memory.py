"""What 100,000 orders do to the sandbox: its memory, its speed and its files, printed every 10,000 orders."""

import sys
import tempfile
import time
from pathlib import Path

from sandbox.config import Config
from sandbox.salesforce.seed import INTEGRATION_USERNAME
from sandbox.store import Record
from sandbox.world import World

ORDERS = 100_000
STEP = 10_000
# Orders of one customer, so that there are customers as well as orders.
EACH = 5


def main() -> int:
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else ORDERS
    with tempfile.TemporaryDirectory(prefix="sandbox-bench-") as folder:
        world = World(Config(state=Path(folder)))
        try:
            measure(world, orders, Path(folder))
        finally:
            world.close()
    return 0


def measure(world: World, orders: int, folder: Path) -> None:
    """Makes the orders, each with one item, and says every STEP orders what that took."""
    say(f"{'orders':>8} {'records':>8} {'RSS MB':>7} {'ms/order':>9} {'files MB':>9}")
    since, first = time.perf_counter(), rss_mb()
    for number in range(1, orders + 1):
        if number % EACH == 1:
            account = make_account(world, number)
        make_order(world, account, number)
        if number % STEP == 0 or number == orders:
            took, since = (time.perf_counter() - since) * 1000 / (number % STEP or STEP), time.perf_counter()
            records = sum(len(world.org.table(name)) for name in ("Account", "Order", "OrderItem"))
            say(f"{number:8} {records:8} {rss_mb():7.0f} {took:9.2f} {megabytes(folder):9.0f}")
    say(f"memory grew by {rss_mb() - first:.0f} MB")


def make_account(world: World, number: int) -> str:
    """A customer with a contact."""
    org, user = world.org, world.org.user_named(INTEGRATION_USERNAME)
    account = org.create("Account", {"Name": f"Customer {number}", "Phone": f"+81 80-{number:08}"}, user)
    org.create("Contact", {"AccountId": account, "LastName": f"No{number}", "Email": f"c{number}@example.jp"}, user)
    return account


def make_order(world: World, account: str, number: int) -> None:
    """An order of one item that waits for review, as the portal makes it."""
    org, user = world.org, world.org.user_named(INTEGRATION_USERNAME)
    entry = _entry(world)
    with org.store.transaction():
        head = {
            "AccountId": account,
            "Pricebook2Id": entry["Pricebook2Id"],
            "EffectiveDate": "2026-11-21",
            "Status": "Pending Review",
            "Activation_Status__c": "Pending Review",
            "Portal_Ref__c": f"bench-{number}",
            "Portal_Correlation_Id__c": f"bench-{number}",
        }
        order = org.create("Order", head, user)
        item = {"OrderId": order, "PricebookEntryId": entry["Id"], "Quantity": 1, "UnitPrice": entry["UnitPrice"]}
        org.create("OrderItem", item, user)


def _entry(world: World) -> Record:
    (pricebook,) = world.org.find("Pricebook2", "Name", "Portal")
    return world.org.find("PricebookEntry", "Pricebook2Id", pricebook["Id"])[0]


def rss_mb() -> float:
    """Memory of this process that is in use now."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(each for each in status.splitlines() if each.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def megabytes(folder: Path) -> float:
    """What the state directory takes."""
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) / 2**20


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
