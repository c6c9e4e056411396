"""What the customer says about themselves is kept here and then told to the other two systems.

Which word counts when systems differ (docs/architecture.md, "Whose word counts"): the customer's newest change is sent
once to WHMCS and Salesforce and overwrites what stands there: the part that changed, nothing else. What staff change
there afterwards stays until the customer changes the same again; it does not come back into the portal.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from accounts.models import Address, CustomerLink, ProfileSync, User
from audit import trail
from journal.waking import wake

Part = ProfileSync.Part
OF_THE_USER = ("given_name", "family_name", "phone")
PARTS: Mapping[str, Part] = {
    "given_name": Part.NAMES,
    "family_name": Part.NAMES,
    "phone": Part.PHONE,
    "language": Part.LANGUAGE,
    "news_mails": Part.NEWS,
}
OF_THE_ADDRESS = ("postal_code", "prefecture", "city", "street", "building", "room")


def save_profile(user: User, said: Mapping[str, Any]) -> bool:
    """Keeps a cleaned AddressForm; whether anything changed. Repeatable; what changed is on its way afterwards."""
    with transaction.atomic():
        changed = _user_changed(user, {name: said[name] for name in OF_THE_USER})
        if _address_changed(user, {name: said[name] for name in OF_THE_ADDRESS}):
            changed.add(Part.ADDRESS)
        if changed:
            _send(user, changed)
            trail.record("profile_changed", actor_id=user.pk, user_id=user.pk)
    return bool(changed)


def save_mails(user: User, **wishes: str | bool) -> bool:
    """Keeps `language` (en or ja), `news_mails` or both; whether anything changed. Repeatable."""
    with transaction.atomic():
        changed = _user_changed(user, wishes)
        if changed:
            _send(user, changed)
        if Part.NEWS in changed:
            consent = "given" if user.news_mails else "withdrawn"
            trail.record("news_consent_changed", actor_id=user.pk, user_id=user.pk, subject=consent)
    return bool(changed)


def send_email_address(user: User) -> None:
    """The address that `user` signs in with has changed: it is on its way to the other systems. In the caller's
    transaction."""
    _send(user, {Part.EMAIL})


def _user_changed(user: User, values: Mapping[str, Any]) -> set[Part]:
    """Locks the user's row until the transaction ends, so that two windows save one after the other."""
    User.objects.select_for_update().get(pk=user.pk)
    user.refresh_from_db(fields=list(values))
    new = {name: value for name, value in values.items() if getattr(user, name) != value}
    for name, value in new.items():
        setattr(user, name, value)
    if new:
        user.save(update_fields=list(new))
    return {PARTS[name] for name in new}


def _address_changed(user: User, values: Mapping[str, Any]) -> bool:
    if Address.objects.filter(user=user, **values).exists():
        return False
    Address.objects.update_or_create(user=user, defaults=dict(values))
    CustomerLink.objects.filter(user=user).update(address_on_file={})  # the customer's own word counts from now on
    return True


def _send(user: User, changed: Iterable[Part]) -> None:
    due: dict[str, Any] = {"tries": 0, "next_try_at": Now(), "error_code": ""}
    due["due_since"] = Coalesce("due_since", Now())
    parts = {part.value for part in changed}
    first = {"next_try_at": Now(), "due_since": Now(), "parts": sorted(parts)}
    row, made = ProfileSync.objects.get_or_create(user=user, defaults=first)
    if not made:
        parts.update(ProfileSync.objects.select_for_update().get(pk=row.pk).parts)  # what is still on its way
        ProfileSync.objects.filter(pk=row.pk).update(wanted=F("wanted") + 1, parts=sorted(parts), **due)
    wake("cases", "accounts.jobs.sync_profile", user.pk)
