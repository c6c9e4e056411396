"""Orders, services and invoices under whatever happens to them, in any order: what must stay true all the time."""

import shutil
import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sandbox.books import Book
from sandbox.clock import Clock
from sandbox.config import Config
from sandbox.faults.book import Faults
from sandbox.ledger import Ledger
from sandbox.mail.mailbox import Mailbox
from sandbox.store import Store
from sandbox.whmcs.api import Call, answer
from sandbox.whmcs.billing import automation, renewals
from sandbox.whmcs.billing.records import Invoice
from sandbox.whmcs.cards import TEST_NUMBER, add_card
from sandbox.whmcs.control import change_settings
from sandbox.whmcs.dates import MONTHS
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import parse_urlencoded
from tests.sandbox.whmcs.conftest import CREDENTIALS
from tests.sandbox.whmcs.shop import NOON

PIDS = st.sampled_from([101, 191, 201, 301])
RECENT = st.integers(0, 3)
"""Which of the newest orders, services or invoices something happens to."""


class BillingMachine(RuleBasedStateMachine):
    """One customer with a card, and everybody who can do something to what the customer has."""

    @initialize(
        switches=st.fixed_dictionaries(
            {
                "tax_type": st.sampled_from(["Inclusive", "Exclusive"]),
                "continuous_invoices": st.booleans(),
                "group_invoices": st.booleans(),
                "set_up_on_payment": st.booleans(),
                "terminate_days": st.sampled_from([0, 9]),
            }
        )
    )
    def open(self, switches: dict[str, Any]) -> None:
        self.folder = Path(tempfile.mkdtemp())
        clock = Clock()
        clock.set(NOON)
        self.ledger = Ledger(self.folder / "ledger.db", clock)
        self.stores = [Store(self.folder / f"{name}.db") for name in ("whmcs", "mail", "faults")]
        mailbox, faults = Mailbox(self.stores[1], clock, self.ledger), Faults(self.stores[2], clock, self.ledger)
        self.whmcs = Whmcs(self.stores[0], clock, self.ledger, Config(state=self.folder), mailbox, faults)
        self.whmcs.configure(quirks="strict-docs", **switches)
        person = {"firstname": "Aiko", "lastname": "T", "email": "a@example.jp", "password2": "x", "skipvalidation": 1}
        self.call("AddClient", **person)
        with self.whmcs.caller(""):
            add_card(self.whmcs, 1, TEST_NUMBER, "12/40")
        self.sell(101)
        self.order([201, 301], noinvoice=0)

    def call(self, action: str, **fields: Any) -> dict[str, Any]:
        form = parse_urlencoded(urlencode({**CREDENTIALS, "action": action, **fields}).encode())
        return answer(self.whmcs, Call(form, "127.0.0.1", ""))[0]

    @staticmethod
    def _recent(book: Book[Any], back: int) -> int:
        """The number of a record among the newest; one that nothing has, when there is none."""
        found = book.part(0, 4, newest_first=True)
        return found[back % len(found)].id if found else 999

    @rule(
        pids=st.lists(st.sampled_from([101, 191, 201, 301]), min_size=1, max_size=3), noinvoice=st.sampled_from([0, 1])
    )
    def order(self, pids: list[int], noinvoice: int) -> None:
        lines = {f"pid[{number}]": pid for number, pid in enumerate(pids)}
        made = self.call("AddOrder", clientid=1, paymentmethod="stripe", noinvoice=noinvoice, **lines)
        assert made["result"] == "success"

    @rule(pid=PIDS)
    def sell(self, pid: int) -> None:
        """An order that goes well: paid and accepted."""
        made = self.call("AddOrder", pid=pid, clientid=1, paymentmethod="stripe")
        self.call("AddInvoicePayment", invoiceid=made.get("invoiceid", 0), transid="t", gateway="stripe")
        assert self.call("AcceptOrder", orderid=made["orderid"])["result"] == "success"

    @rule(back=RECENT, autosetup=st.sampled_from([0, 1]), fails=st.booleans())
    def accept(self, back: int, autosetup: int, fails: bool) -> None:
        """What is pending becomes Active or Completed, or stays pending because no module ran or one failed."""
        number = self._recent(self.whmcs.orders, back)
        order = self.whmcs.orders.get(number)
        pending = [each.id for each in self.whmcs.services.find("order_id", number) if each.status == "Pending"]
        self._fail("once" if fails else "never")
        done = self.call("AcceptOrder", orderid=number, autosetup=autosetup)
        self._fail("never")
        services = [each for each in map(self.whmcs.services.get, pending) if each]
        if order is None or order.status != "Pending":
            assert done["message"] == "Order ID not found or Status not Pending"
            assert all(each.status == "Pending" for each in services)
        elif done["result"] == "success":
            assert all(each.status in ("Active", "Completed") for each in services if autosetup)
        else:
            assert any(each.status == "Pending" for each in services)
        after = self.whmcs.orders.get(number)
        before = order.status if order else ""
        assert (after.status if after else "") == ("Active" if done["result"] == "success" else before)

    def _fail(self, times: str) -> None:
        for pid in (201, 301):
            change_settings(self.whmcs, {"module_failure": {"pid": pid, "times": times}})

    @rule(back=RECENT)
    def cancel(self, back: int) -> None:
        number = self._recent(self.whmcs.orders, back)
        paid = {each.id for each in self.whmcs.invoices.find("status", "Paid")}
        self.call("CancelOrder", orderid=number)
        assert paid == {each.id for each in self.whmcs.invoices.find("status", "Paid")}

    @rule(back=RECENT, action=st.sampled_from(["FraudOrder", "PendingOrder"]))
    def judge(self, back: int, action: str) -> None:
        number = self._recent(self.whmcs.orders, back)
        self.call(action, orderid=number)

    @rule(back=RECENT)
    def delete(self, back: int) -> None:
        number = self._recent(self.whmcs.orders, back)
        order = self.whmcs.orders.get(number)
        services = {each.id for each in self.whmcs.services.find("order_id", number)}
        if self.call("DeleteOrder", orderid=number)["result"] == "success":
            assert order
            assert order.status in ("Cancelled", "Fraud")
            assert not any(self.whmcs.services.get(each) for each in services)

    @rule(back=RECENT, amount=st.sampled_from(["", "100", "99999"]))
    def pay(self, back: int, amount: str) -> None:
        number = self._recent(self.whmcs.invoices, back)
        self._watched(
            lambda: self.call("AddInvoicePayment", invoiceid=number, transid="t", gateway="stripe", amount=amount)
        )

    @rule(back=RECENT, declined=st.booleans())
    def capture(self, back: int, declined: bool) -> None:
        number = self._recent(self.whmcs.invoices, back)
        self.whmcs.configure(declined_captures=int(declined))
        self._watched(lambda: self.call("CapturePayment", invoiceid=number))

    @rule(back=RECENT, held=st.sampled_from(["50", "900"]), amount=st.sampled_from(["full", "300"]))
    def use_credit(self, back: int, held: str, amount: str) -> None:
        number = self._recent(self.whmcs.invoices, back)
        self.call("AddCredit", clientid=1, description="x", amount=held)
        self._watched(lambda: self.call("ApplyCredit", invoiceid=number, amount=amount))

    @rule(back=RECENT, kind=st.sampled_from(["Immediate", "End of Billing Period"]))
    def ask_to_cancel(self, back: int, kind: str) -> None:
        number = self._recent(self.whmcs.services, back)
        self.call("AddCancelRequest", serviceid=number, type=kind)

    @rule(back=RECENT, action=st.sampled_from(["ModuleCreate", "ModuleSuspend", "ModuleUnsuspend", "ModuleTerminate"]))
    def command(self, back: int, action: str) -> None:
        number = self._recent(self.whmcs.services, back)
        self.call(action, serviceid=number)

    @rule(amount=st.sampled_from(["10", "300"]), action=st.sampled_from(["nextcron", "nextinvoice"]))
    def use(self, amount: str, action: str) -> None:
        fields = {"description": "x", "amount": amount, "unit": "quantity", "invoiceaction": action}
        assert self.call("AddBillableItem", clientid=1, **fields)["status"] == "success"

    @rule(days=st.sampled_from([1, 6, 14, 31]))
    def let_days_pass(self, days: int) -> None:
        self.whmcs.clock.advance(timedelta(days=days))

    @rule()
    def run_the_automation(self) -> None:
        """Twice: the second run finds nothing to do, but for what was long overdue and goes on period by period."""
        self._watched(lambda: automation.run(self.whmcs))
        season, before = renewals.season(self.whmcs), self._holdings()
        is_catching_up = any(renewals.is_due(each, season) for each in self.whmcs.services.all())
        automation.run(self.whmcs)
        assert is_catching_up or self._holdings() == before

    def _holdings(self) -> list[Any]:
        whmcs = self.whmcs
        books: list[Any] = [whmcs.invoices, whmcs.services, whmcs.transactions, whmcs.credits, whmcs.sent_mails]
        return [book.all() for book in books]

    def _watched(self, act: Any) -> None:
        """Does it, and holds every due date that moved against an invoice that became paid meanwhile."""
        before = {each.id: each.next_due for each in self.whmcs.services.all()}
        paid = {each.id for each in self.whmcs.invoices.find("status", "Paid")}
        act()
        newly = [each for each in self.whmcs.invoices.find("status", "Paid") if each.id not in paid]
        moved = {each.id for each in self.whmcs.services.all() if before.get(each.id) != each.next_due}
        assert moved <= {line.relid for each in newly for line in each.lines if line.type == "Hosting"}

    @precondition(lambda self: hasattr(self, "whmcs"))
    @invariant()
    def due_dates_move_with_payments_alone(self) -> None:
        for service in self.whmcs.services.all():
            if service.cycle in MONTHS:
                assert service.registered <= service.next_due <= service.next_invoice

    @precondition(lambda self: hasattr(self, "whmcs"))
    @invariant()
    def no_period_is_invoiced_twice(self) -> None:
        lines = [line for each in self.whmcs.invoices.all() for line in each.lines if line.type == "Hosting"]
        periods = [(line.relid, line.period) for line in lines if self._recurs(line.relid)]
        assert len(periods) == len(set(periods))

    def _recurs(self, service_id: int) -> bool:
        service = self.whmcs.services.get(service_id)
        return service is not None and service.cycle in MONTHS

    @precondition(lambda self: hasattr(self, "whmcs"))
    @invariant()
    def every_invoice_adds_up(self) -> None:
        for invoice in self.whmcs.invoices.all():
            lines = sum((Decimal(line.amount) for line in invoice.lines), Decimal(0))
            taxes = Decimal(invoice.tax) + Decimal(invoice.tax2)
            charged = lines if self.whmcs.settings.tax_type == "Inclusive" else lines + taxes
            assert Decimal(invoice.total) + Decimal(invoice.credit) == charged
            assert Decimal(invoice.subtotal) + taxes == charged

    @precondition(lambda self: hasattr(self, "whmcs"))
    @invariant()
    def what_is_paid_is_paid_for(self) -> None:
        for invoice in self.whmcs.invoices.find("status", "Paid"):
            assert self._received(invoice) >= Decimal(invoice.total)
        for invoice in self.whmcs.invoices.find("status", "Unpaid"):
            assert self._received(invoice) < Decimal(invoice.total)

    def _received(self, invoice: Invoice) -> Decimal:
        moved = self.whmcs.transactions.find("invoice_id", invoice.id)
        return sum((Decimal(each.amount_in) - Decimal(each.amount_out) for each in moved), Decimal(0))

    @precondition(lambda self: hasattr(self, "whmcs"))
    @invariant()
    def credit_is_never_overdrawn(self) -> None:
        held = sum((Decimal(each.amount) for each in self.whmcs.credits.find("client_id", 1)), Decimal(0))
        assert held >= 0

    def teardown(self) -> None:
        if hasattr(self, "whmcs"):
            for store in self.stores:
                store.close()
            self.ledger.close()
            shutil.rmtree(self.folder)


TestBilling = BillingMachine.TestCase
TestBilling.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
