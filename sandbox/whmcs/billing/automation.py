"""The daily automation: what the cron job of an installation does once a day (whmcs-wire §3.4, §3.5, §5).

It goes in small steps, each a transaction of its own, so that other requests can come between two of them, as they do
between the queries of the real one. What it does depends on what is there: a second run finds nothing left to do.
"""

from collections.abc import Callable, Iterator

from sandbox.whmcs import mails
from sandbox.whmcs.billing import overdue, renewals
from sandbox.whmcs.billing.capture import capture
from sandbox.whmcs.billing.invoices import is_card
from sandbox.whmcs.billing.records import DailyRun, Invoice
from sandbox.whmcs.billing.renewals import PAUSE, Season
from sandbox.whmcs.billing.settlement import left_to_pay
from sandbox.whmcs.dates import NO_TIME, days_between, shifted
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import formatted
from sandbox.whmcs.ordering import cancellations


def has_run(whmcs: Whmcs) -> bool:
    """Whether the automation ran today already; the real one does its daily tasks once."""
    return whmcs.daily_runs.count("date", whmcs.today()) > 0


def run(whmcs: Whmcs, *, mail: bool = True) -> DailyRun:
    """The whole run at once."""
    for _ in (automation := Automation(whmcs, mail=mail)).steps():
        pass
    return automation.record


class Automation:
    """One run. `record` is kept at its beginning and again, with what was done, at its end."""

    def __init__(self, whmcs: Whmcs, *, mail: bool = True) -> None:
        self._whmcs = whmcs
        self._season: Season = renewals.season(whmcs, mail=mail)
        number = whmcs.daily_runs.next_id()
        self.record = whmcs.daily_runs.put(DailyRun(number, whmcs.today(), whmcs.timestamp()))

    def steps(self) -> Iterator[None]:
        """Does one piece of work each time it is asked to go on."""
        tasks: tuple[Callable[[], Iterator[None]], ...] = (
            self._invoice,
            self._collect,
            self._cancel,
            self._suspend_and_terminate,
        )
        for task in tasks:
            yield from task()
        with self._whmcs.caller(""):
            self._whmcs.daily_runs.put(self.record)
            self._whmcs.note("cron.daily", self.record.date, dict(self.record.counts))

    def _count(self, task: str, figure: str, number: int = 1) -> None:
        if not number:
            return
        counts = self.record.counts.setdefault(task, {})
        counts[figure] = counts.get(figure, 0) + number

    def _invoice(self) -> Iterator[None]:
        for client in renewals.clients_due(self._whmcs, self._season):
            if client is not None:
                with self._whmcs.caller(""):
                    made = renewals.generate(self._whmcs, client, self._season)
                self._count("CreateInvoices", "invoice.created", len(made))
            yield

    def _collect(self) -> Iterator[None]:
        """Charges what is due and reminds of what is overdue, in one walk through the invoices."""
        for number, seen in enumerate(self._whmcs.invoices.walk()):
            if seen.status == "Unpaid":
                yield from self._collect_on(seen.id)
            elif number % PAUSE == 0:
                yield

    def _collect_on(self, number: int) -> Iterator[None]:
        """The invoice is read again, since others may have paid or removed it meanwhile."""
        for is_due, act in ((self._is_to_be_captured, self._capture), (self._is_to_be_reminded_of, self._remind)):
            invoice = self._whmcs.invoices.get(number)
            if invoice and invoice.status == "Unpaid" and is_due(invoice):
                with self._whmcs.caller(""):
                    act(invoice)
        yield

    def _capture(self, invoice: Invoice) -> None:
        failure = capture(self._whmcs, invoice, mail=self._season.mail)
        self._count("ProcessCreditCardPayments", "failures" if failure else "captured")

    def _is_to_be_captured(self, invoice: Invoice) -> bool:
        """Due, by card, and not tried lately: a failed payment is tried again after some days, or never."""
        switches, today = self._season.switches, self._season.today
        is_due = invoice.due <= shifted(today, switches.capture_days_before)
        if not is_due or not is_card(switches, invoice.payment_method):
            return False
        if invoice.last_capture == NO_TIME:
            return True
        waited = days_between(invoice.last_capture[:10], today)
        return 0 < switches.capture_retry_days <= waited

    def _is_to_be_reminded_of(self, invoice: Invoice) -> bool:
        days = self._season.switches.overdue_notice_days
        return bool(days) and not invoice.reminded and invoice.due <= shifted(self._season.today, -days)

    def _remind(self, invoice: Invoice) -> None:
        invoice.reminded = True
        self._whmcs.invoices.put(invoice)
        self._whmcs.note("invoice.overdue", str(invoice.id), {"client": invoice.client_id, "due": invoice.due})
        if self._season.mail:
            owed = formatted(left_to_pay(self._whmcs, invoice))
            facts = {"invoice": str(invoice.id), "total": owed, "due": invoice.due}
            mails.send(self._whmcs, invoice.client_id, "First Invoice Overdue Notice", **facts)
        self._count("InvoiceReminders", "first_overdue")

    def _cancel(self) -> Iterator[None]:
        if not self._season.switches.cancellation_requests_run:
            return
        for request in self._whmcs.cancel_requests.find("open", True):
            service = self._whmcs.services.get(request.service_id)
            with self._whmcs.caller(""):
                if service is None:
                    cancellations.close(self._whmcs, request)
                elif cancellations.is_due(request, service, self._season.today):
                    failed = cancellations.carry_out(self._whmcs, request, service)
                    self._count("CancellationRequests", "failed" if failed else "cancelled")
            yield

    def _suspend_and_terminate(self) -> Iterator[None]:
        """Services whose period was not paid for: found in one walk, each looked at again when its turn comes."""
        found: list[int] = []
        for number, service in enumerate(self._whmcs.services.walk()):
            if overdue.verdict(service, self._season):
                found.append(service.id)
            if number % PAUSE == 0:
                yield
        for service_id in found:
            yield from self._judge(service_id)

    def _judge(self, service_id: int) -> Iterator[None]:
        """Carries the verdict out, and the next one when days of grace for both are over; a failure waits a day."""
        service, failed = self._whmcs.services.get(service_id), ""
        while service and not failed and (verdict := overdue.verdict(service, self._season)):
            with self._whmcs.caller(""):
                failed = overdue.carry_out(self._whmcs, service, verdict, mail=self._season.mail)
            self._count(f"Auto{verdict.title()}s", "failed" if failed else "done")
            yield
            service = self._whmcs.services.get(service_id)
