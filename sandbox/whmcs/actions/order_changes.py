"""AcceptOrder, PendingOrder, CancelOrder, FraudOrder and DeleteOrder (whmcs-wire §3.3)."""

from sandbox.whmcs import mails
from sandbox.whmcs.answers import Answer, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.ordering import outcomes
from sandbox.whmcs.ordering.records import Order
from sandbox.whmcs.php import PhpArray, text, to_int, truthy

_NOT_PENDING = "Order ID not found or Status not Pending"
_NO_SUBSCRIPTION = "Subscription Cancellation Failed - Please check the gateway log for further information."


def accept_order(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Sets up the pending services and makes the order Active.

    `autosetup` sent decides whether modules run; left out, the products do, and all of them are set to run. When a
    module fails its text is the error, the order stays Pending, and what was set up before stays set up. There is no
    registrar, so `registrar` and `sendregistrar` change nothing.
    """
    order = _pending(whmcs, form)
    sent = form.get("autosetup")
    how = outcomes.Acceptance(
        run_modules=sent is None or truthy(sent),
        mail=truthy(form.get("sendemail")),
        server_id=to_int(form.get("serverid")),
        username=text(form.get("serviceusername")),
        password=text(form.get("servicepassword")),
    )
    failure = outcomes.accept(whmcs, order, how)
    return Answer(key=str(order.id), detail=outcomes.facts(whmcs, order, "Pending"), failure=failure)


def cancel_order(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Only a pending order. Its pending services and unpaid invoice follow if the installation is set so."""
    order = _pending(whmcs, form)
    _refuse_subscription(form)
    outcomes.end(whmcs, order, "Cancelled")
    mailed = []
    if not truthy(form.get("noemail")):
        mailed = mails.send(whmcs, order.client_id, "Order Cancelled", order=order.number)
    return Answer(key=str(order.id), detail={**outcomes.facts(whmcs, order, "Pending"), "mails": mailed})


def fraud_order(whmcs: Whmcs, form: PhpArray) -> Answer:
    """From any status (§3.3); what the order brought is Fraud too, and its unpaid invoice cancelled."""
    order = _existing(whmcs, form, "Order ID Not Found")
    _refuse_subscription(form)
    before = order.status
    outcomes.end(whmcs, order, "Fraud")
    return Answer(key=str(order.id), detail=outcomes.facts(whmcs, order, before))


def pending_order(whmcs: Whmcs, form: PhpArray) -> Answer:
    """From any status (§3.3)."""
    order = _existing(whmcs, form, "Order ID Not Found")
    before = order.status
    outcomes.reopen(whmcs, order)
    return Answer(key=str(order.id), detail=outcomes.facts(whmcs, order, before))


def delete_order(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Only a cancelled or fraudulent order; everything that belongs to it is gone for good (§3.3)."""
    order = _existing(whmcs, form, "Order ID not found")
    if order.status not in ("Cancelled", "Fraud"):
        raise Refused("The order status must be in Cancelled or Fraud to be deleted")
    detail = outcomes.facts(whmcs, order, order.status)
    outcomes.delete(whmcs, order)
    return Answer(key=str(order.id), detail={**detail, "after": ""})


def _pending(whmcs: Whmcs, form: PhpArray) -> Order:
    """One text for no such order, accepted already and cancelled (§0 no. 5)."""
    order = _existing(whmcs, form, _NOT_PENDING)
    if order.status != "Pending":
        raise Refused(_NOT_PENDING)
    return order


def _existing(whmcs: Whmcs, form: PhpArray, complaint: str) -> Order:
    order = whmcs.orders.get(to_int(form.get("orderid")))
    if order is None:
        raise Refused(complaint)
    return order


def _refuse_subscription(form: PhpArray) -> None:
    """No gateway here has subscriptions, so asking for the end of one fails, even with the word `false` (§3.3)."""
    if truthy(form.get("cancelsub")):
        raise Refused(_NO_SUBSCRIPTION)
