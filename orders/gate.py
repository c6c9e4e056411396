"""What must be there before an order can be placed, as a task list in plain words (product.md §7).

`situation` asks what has to be asked now (two WHMCS reads at most); `tasks` judges and asks nobody.
"""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.setting_up import SENTENCES, Place
from orders.plan_tasks import plan_tasks
from orders.situation import Situation, Wanted, known_here, situation
from orders.tasks import WAITING, Task, cannot_ask, leading_back, open_tasks

__all__ = ["Situation", "Task", "known_here", "open_tasks", "situation", "tasks"]


def tasks(now: Situation, lines: Sequence[Wanted], *, back: str = "") -> tuple[Task, ...]:
    """The task list for these lines: what is missing first, what is done last. Pure.

    Links lead back to the page `back`, the checkout if none is named.
    """
    found = [_email(now), _account(now)]
    if now.link:
        found += [_address(now), _payment(now), *plan_tasks(now, now.link, lines)]
    order = {"todo": 0, "wait": 1, "done": 2}
    found = [leading_back(task, back or reverse("checkout")) for task in found]
    return tuple(sorted(found, key=lambda task: order[task.state]))


def _email(now: Situation) -> Task:
    if now.email_verified:
        return Task("email", "done", _("E-mail address confirmed"), now.email)
    return Task(
        "email",
        "todo",
        _("Confirm your e-mail address"),
        _("We sent you a code. Enter it, so that we can tell you about your order."),
        _("Confirm the address"),
        reverse("account_email_verification_sent"),
        blocks=True,
    )


def _account(now: Situation) -> Task:
    title, text = _("Your customer account"), SENTENCES[now.account]
    if now.account == Place.READY:
        return Task("account", "done", title, text)
    if now.account == Place.COMPARING:
        return Task("account", "wait", title, text)
    url = reverse("account_setup")
    if now.account == Place.NUMBER:
        return Task("account", "todo", title, text, _("Complete your account"), url, blocks=True)
    return Task("account", "wait", title, text, _("See how far it is"), url, blocks=True, word=WAITING)


def _address(now: Situation) -> Task:
    title = _("Your address")
    if now.has_address:
        return Task("address", "done", title, _("We have it. Your bills and deliveries go there."))
    text, action = _("For deliveries, bills and the check of your identity."), _("Add your address")
    return Task("address", "todo", title, text, action, reverse("address"), blocks=True)


def _payment(now: Situation) -> Task:
    title = _("Payment method")
    if now.has_payment_method:
        return Task("payment", "done", title, _("We charge nothing before your service is active."))
    if now.has_payment_method is None:
        return cannot_ask("payment", title)
    return Task(
        "payment",
        "todo",
        title,
        _("We charge nothing now. A card or bank account must be there before we start."),
        _("Add a payment method"),
        reverse("payment_methods"),
        blocks=True,
    )
