"""What many orders do to the sandbox: its memory, its speed and its files."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sandbox.calls import LINE, PERSON
from sandbox.salesforce.seed import INTEGRATION_USERNAME
from sandbox.store import Record
from sandbox.whmcs.answers import Payload
from sandbox.whmcs.api import Call, answer
from sandbox.whmcs.php import nest
from sandbox.world import World

STEP = 10_000
QUIETLY = {"noemail": "1", "noinvoiceemail": "1"}
# Orders of one customer, so that there are customers as well as orders.
EACH = 5


@dataclass(frozen=True)
class Reading:
    """How things stand after so many orders; `ms` is the processor's time that each of the last ones took."""

    orders: int
    records: int
    rss_mb: float
    ms: float
    files_mb: float


def fill(world: World, orders: int) -> Iterator[Reading]:
    """Make the orders in both systems, each with one item; a reading before, and every STEP orders."""
    yield reading(world, 0, 0)
    since = time.process_time()
    for number in range(1, orders + 1):
        if number % EACH == 1:
            account, client = make_account(world, number), make_client(world, number)
        make_order(world, account, number)
        tell_whmcs(world, "AddOrder", {"clientid": str(client), **LINE, **QUIETLY})
        if number % STEP == 0:
            yield reading(world, number, (time.process_time() - since) * 1000 / STEP)
            since = time.process_time()


def reading(world: World, orders: int, ms: float) -> Reading:
    """How things stand."""
    records = sum(1 for store in world.stores.values() for _ in store.db.execute("SELECT made FROM records"))
    return Reading(orders, records, rss_mb(), ms, megabytes(world.config.state))


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


def make_client(world: World, number: int) -> int:
    """A client of WHMCS."""
    return int(tell_whmcs(world, "AddClient", {**PERSON, "email": f"c{number}@example.jp"})["clientid"])


def tell_whmcs(world: World, action: str, fields: dict[str, str]) -> Payload:
    """An action of WHMCS' API, without its HTTP."""
    settings = world.whmcs.settings
    login = {"identifier": settings.api_identifier, "secret": settings.api_secret, "action": action}
    payload, _ = answer(world.whmcs, Call(nest({**login, **fields}.items()), "127.0.0.1", ""))
    if payload["result"] != "success":
        raise RuntimeError(f"{action}: {payload}")
    return payload


def rss_mb(process: int | str = "self") -> float:
    """Memory of a process that is in use now."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    line = next(each for each in status.splitlines() if each.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def megabytes(folder: Path) -> float:
    """What the state directory takes."""
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) / 2**20
