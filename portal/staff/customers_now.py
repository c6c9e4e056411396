"""What customers wait for at this moment, as numbers that lead to the lists."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from portal import waiting
from portal.staff.numbers import Number

LATE = {  # as the alerts have it
    "running": timedelta(minutes=30),
    "waiting_cs": timedelta(days=2),
    "profile": timedelta(hours=1),
    "mail": timedelta(minutes=30),
    "case": timedelta(hours=1),
}


def customers_now(now: datetime) -> Sequence[Number]:
    """One number for each kind of waiting; bad once it lasts as long as the alert about it allows."""
    lists = {
        "running": (_("Sign-ups under way"), "accounts_signupjourney", "state__exact=running"),
        "waiting_cs": (_("Sign-ups that wait for support"), "accounts_signupjourney", "state__exact=waiting_cs"),
        "profile": (_("Changed details not sent"), "accounts_profilesync", "sent=no"),
        "mail": (_("E-mails not sent"), "notifications_email", "state__exact=pending"),
        "case": (_("Cases not in Salesforce"), "support_case", "state__exact=pending"),
    }
    found = {**waiting.sign_ups(), **waiting.unsent()}
    return [
        _number(found[kind], label, f"{reverse(f'admin:{model}_changelist')}?{query}", now, LATE[kind])
        for kind, (label, model, query) in lists.items()
    ]


def _number(each: waiting.Waiting, label: str, href: str, now: datetime, late: timedelta) -> Number:
    note = _("oldest: %(age)s") % {"age": timesince(each.since, now, depth=1)} if each.since else ""
    is_late = each.since is not None and now - each.since > late
    return Number(label, str(each.count), note, href, "bad" if is_late else "wait" if each.count else "")
