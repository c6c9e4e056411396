"""What the customer says about themselves is kept here and then told to the other two systems.

Which word counts when systems differ (docs/architecture.md, "Whose word counts"): the customer's newest change is sent
once to WHMCS and Salesforce and overwrites what stands there. What staff change there afterwards stays until the
customer changes something again; it does not come back into the portal.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts.models import Address, CustomerLink, ProfileSync, User
from audit import trail
from journal.waking import wake

OF_THE_USER = ("given_name", "family_name", "phone")
OF_THE_ADDRESS = ("postal_code", "prefecture", "city", "street", "building", "room")


def save_profile(user: User, said: Mapping[str, Any]) -> bool:
    """Keeps a cleaned AddressForm; whether anything changed. Repeatable; what changed is on its way afterwards."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        changed = _user_changed(user, {name: said[name] for name in OF_THE_USER})
        changed = _address_changed(user, {name: said[name] for name in OF_THE_ADDRESS}) or changed
        if changed:
            _send(user)
            trail.record("profile_changed", actor_id=user.pk, user_id=user.pk)
    return changed


def save_mails(user: User, *, language: str, news_mails: bool) -> bool:
    """Keeps the language and the wish for news; whether anything changed. Repeatable."""
    with transaction.atomic():
        changed = _user_changed(user, {"language": language, "news_mails": news_mails})
        if changed:
            _send(user)
    return changed


def _user_changed(user: User, values: Mapping[str, Any]) -> bool:
    user.refresh_from_db(fields=list(values))
    if all(getattr(user, name) == value for name, value in values.items()):
        return False
    for name, value in values.items():
        setattr(user, name, value)
    user.save(update_fields=list(values))
    return True


def _address_changed(user: User, values: Mapping[str, Any]) -> bool:
    if Address.objects.filter(user=user, **values).exists():
        return False
    Address.objects.update_or_create(user=user, defaults=dict(values))
    CustomerLink.objects.filter(user=user).update(address_on_file={})  # the customer's own word counts from now on
    return True


def _send(user: User) -> None:
    due: dict[str, Any] = {"tries": 0, "next_try_at": Now(), "error_code": ""}
    row, made = ProfileSync.objects.get_or_create(user=user, defaults={"next_try_at": Now()})
    if not made:
        ProfileSync.objects.filter(pk=row.pk).update(wanted=F("wanted") + 1, **due)
    wake("cases", "accounts.jobs.sync_profile", user.pk)
