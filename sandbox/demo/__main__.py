"""`make demo` and `make demo ONCE=1`."""

import argparse
import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import requests

from sandbox.demo.customer import MARIA, PASSWORD, PLAN, Customer, until
from sandbox.demo.stack import ROOT, Ports, Stack
from sandbox.demo.verdict import disagreements
from sandbox.embedded.processes import CannotStart

STAFF_EMAIL = "carol.suzuki@example.jp"
STAFF_PASSWORD = "harbour crane in the morning"  # noqa: S105 - printed on the terminal, lives in the demo alone
WATCH_EVERY_S = 1.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Terminal:
    """Progress with the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, sentence: str) -> None:
        sys.stdout.write(f"  {time.monotonic() - self._began:6.1f} s  {sentence}\n")
        sys.stdout.flush()

    def heading(self, text: str) -> None:
        sys.stdout.write(f"\n{text}\n")
        sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description="The portal and its outside world on this machine.")
    parser.add_argument(
        "--once", action="store_true", help="end after one order; exit status 0 only if it is provisioned"
    )
    parser.add_argument("--state", type=Path, default=ROOT / ".demo", help="where everything is kept")
    parser.add_argument("--free-ports", action="store_true", help="take ports that are free instead of the usual ones")
    options = parser.parse_args()
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    terminal = Terminal()
    ports = Ports.free() if options.free_ports else Ports()
    stack = Stack(options.state, ports=ports, say=terminal.say)
    try:
        with only_one(options.state), running(stack, terminal):
            return demo(stack, terminal, once=options.once)
    except CannotStart as error:
        sys.stderr.write(f"demo: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130 if options.once else 0


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def only_one(state: Path) -> Iterator[None]:
    """Two demos on one folder would fight over its data."""
    import fcntl

    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"Another demo is running on {state}.") from None
        yield


@contextmanager
def running(stack: Stack, terminal: Terminal) -> Iterator[None]:
    terminal.heading("Starting")
    stack.start()
    try:
        yield
    finally:
        for number in SIGNALS:  # a second Ctrl-C must not leave anything running
            signal.signal(number, signal.SIG_IGN)
        terminal.heading("Stopping")
        stack.stop()
        terminal.say("Everything is stopped")


def demo(stack: Stack, terminal: Terminal, *, once: bool) -> int:
    staff_secret = make_staff(stack)
    try:
        wrong = one_order(stack, terminal)
    except (TimeoutError, LookupError, requests.RequestException) as error:
        stack.check()
        wrong = [f"The order did not get through: {error}"]
    for sentence in wrong:
        terminal.say(f"WRONG: {sentence}")
    keep(stack.state / "ready.json", json.dumps(addresses(stack, staff_secret), indent=1))
    if once:
        return 1 if wrong else 0
    show_addresses(stack, terminal, staff_secret)
    return watch(stack)


def keep(file: Path, text: str) -> None:
    """Holds passwords, though of a demo: for this user's eyes."""
    file.touch(mode=0o600)
    file.write_text(text)


def make_staff(stack: Stack) -> str:
    """The CS user of the demo; returns the secret of their second factor."""
    printed = stack.manage(
        "create_staff", STAFF_EMAIL, "--group", "CS lead", "--group", "Operator", "--password", STAFF_PASSWORD
    )
    found, kept = re.search(r"\b[A-Z2-7]{32}\b", printed), stack.state / "staff-totp"
    if found:
        keep(kept, found[0])
    if not kept.exists():
        raise CannotStart(f"The second factor of {STAFF_EMAIL} is unknown: run make clean and start again.")
    return kept.read_text()


def one_order(stack: Stack, terminal: Terminal) -> list[str]:
    """Carries one order from cart to working service; returns what went wrong."""
    terminal.heading("One order, from cart to working service")
    customer = Customer(stack.site_url, stack.ready, MARIA)
    first_time = not customer.mails()
    if first_time:
        customer.sign_up()
        terminal.say(f"{MARIA.given_name} signed up with customer number {MARIA.number}; all three systems know her")
    else:
        customer.sign_in()
        terminal.say(f"{MARIA.given_name} signed in")
    customer.add_to_cart(a_plan(customer, first_time))
    if first_time:
        if not customer.missing_payment_method():
            return ["The checkout did not ask for a payment method"]
        terminal.say("The checkout stopped her: no payment method yet")
        customer.add_card()
        terminal.say("She added a card on WHMCS' own page")
    order_path = customer.place_order()
    return approve_and_watch(stack, terminal, customer, order_path)


def a_plan(customer: Customer, first_time: bool) -> str:
    """Home internet the first time; later a VPN plan, since one home has one line."""
    family = PLAN if first_time else "/plans/vpn/"
    text = customer.visitor.open(family).text
    found: list[str] = re.findall(rf'href="({family}[^"/]+/)"', text)
    if not found:
        raise LookupError(f"there is no plan on {family}")
    return found[0]


def approve_and_watch(stack: Stack, terminal: Terminal, customer: Customer, order_path: str) -> list[str]:
    status = customer.status(order_path)
    terminal.say(f"Order {status['number']} is placed in Salesforce ({status['sf_order_id']}): {status['status']}")
    order_id = str(status["sf_order_id"])
    approval = requests.post(f"{stack.ready['people_url']}/control/desk/orders/{order_id}/approve", timeout=15)
    approval.raise_for_status()
    approved = time.monotonic()
    terminal.say("CS approved it in Salesforce; the event is on its way")
    seen = [str(status["status"])]

    def final() -> bool:
        now = customer.status(order_path)
        if now["status"] != seen[-1]:
            seen.append(str(now["status"]))
            terminal.say(f"The customer's page says: {now['label']}")
        stack.check()
        return bool(now["final"])

    until(final, "The end of the order")
    terminal.say(f"{seen[-1]} {time.monotonic() - approved:.2f} s after the approval")
    wrong = until_agreed(stack, order_id)
    if not wrong:
        terminal.say("WHMCS has one accepted order with the mark; Salesforce's order, items and opportunity agree")
    return wrong


def until_agreed(stack: Stack, order_id: str) -> list[str]:
    """The write-back comes right after the page: give it a moment, then say what is still wrong."""
    wrong: list[str] = []

    def agreed() -> bool:
        wrong[:] = disagreements(stack.ready, order_id)
        return not wrong

    with suppress(TimeoutError):
        until(agreed, "Agreement")
    return wrong


def addresses(stack: Stack, staff_secret: str) -> dict[str, object]:
    return {
        "site_url": stack.site_url,
        "desk_url": stack.ready["people_url"],
        "customer": {"email": MARIA.email, "password": PASSWORD},
        "staff": {"email": STAFF_EMAIL, "password": STAFF_PASSWORD, "totp_secret": staff_secret},
        "sandbox": stack.ready,
    }


def show_addresses(stack: Stack, terminal: Terminal, staff_secret: str) -> None:
    people = stack.ready["people_url"]
    rows = [
        ("The portal", stack.site_url, f"{MARIA.email}  /  {PASSWORD}"),
        ("The CS desk", people, "approve, cancel, fail; see what each system holds"),
        ("Mail", f"{people}/mail", "every mail the portal sent"),
        ("Staff admin", f"{stack.site_url}/admin/", f"{STAFF_EMAIL}  /  {STAFF_PASSWORD}"),
        ("", "", f"second factor: make code  (TOTP secret {staff_secret})"),
        ("Logs", os.path.relpath(stack.logs), "one file per process"),
    ]
    terminal.heading("Yours to try; Ctrl-C stops everything")
    for name, address, note in rows:
        sys.stdout.write(f"  {name:12} {address:32} {note}\n")
    sys.stdout.flush()


def watch(stack: Stack) -> NoReturn:
    """Until Ctrl-C; a process that dies ends the demo with a sentence."""
    pause = threading.Event()
    while True:
        stack.check()
        pause.wait(WATCH_EVERY_S)


if __name__ == "__main__":
    sys.exit(main())
