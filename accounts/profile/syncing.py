"""Brings what the customer last said about themselves to WHMCS and Salesforce, again and again until it is there."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from accounts.links import linked
from accounts.models import Address, CustomerLink, ProfileSync, User
from accounts.profile import postal_codes
from accounts.profile.prefectures import PREFECTURES
from integrations import gateway
from integrations.errors import OutsideError, Rejected
from integrations.salesforce.schemas import ContactDetails
from integrations.whmcs.schemas import ClientProfile
from journal.waking import wake
from support.cases import back_off, open_case

log = structlog.get_logger(__name__)
Part = ProfileSync.Part
REFUSALS_BEFORE_A_CASE = 5


def sync(user_id: int) -> bool:
    """Sends what is not there yet; whether everything is afterwards. Not in a transaction; safe to repeat and to run
    twice at once. A user without a real link waits until there is one."""
    row = _take(user_id)
    user = User.objects.select_related("link").get(pk=user_id)
    link = linked(user)
    if row is None or link is None:
        return False
    try:
        _send(row, user, link)
    except OutsideError as error:
        _put_off(row, error, link)
        return False
    _settle(row)
    return True


def sync_due(limit: int = 20) -> dict[str, int]:
    """Everything that is due and whose customer is known outside; says how much arrived. Needs no Redis."""
    waiting = list((_due() & unsent()).order_by("next_try_at").values_list("user_id", flat=True)[:limit])
    return {"synced": sum(sync(user_id) for user_id in waiting)}


def unsent() -> QuerySet[ProfileSync]:
    """What is to be sent for customers who are known outside; others' waits for their sign-up."""
    return ProfileSync.objects.filter(next_try_at__isnull=False, user__link__state=CustomerLink.State.LINKED)


def given_up() -> QuerySet[ProfileSync]:
    """What was given up after refusals: support has a Case about it."""
    late = Q(whmcs_has__lt=F("wanted")) | Q(salesforce_has__lt=F("wanted"))
    return ProfileSync.objects.filter(late, next_try_at=None)


def try_again(user_id: int) -> bool:
    """Staff: sends what is not there yet at once, what was given up included; whether there is anything. Repeatable."""
    waiting = (unsent() | given_up()).filter(user_id=user_id)
    due = {"tries": 0, "next_try_at": Now(), "due_since": Coalesce("due_since", Now())}
    found = bool(ProfileSync.objects.filter(pk__in=waiting.values("pk")).update(**due))
    if found:
        wake("cases", "accounts.jobs.sync_profile", user_id)
    return found


def _due() -> QuerySet[ProfileSync]:
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    return ProfileSync.objects.filter(free, next_try_at__lte=Now())


def _take(user_id: int) -> ProfileSync | None:
    lease = Now() + timedelta(seconds=3 * settings.READ_DEADLINE_S + settings.DEADLINE_MARGIN_S)
    if not _due().filter(user_id=user_id).update(lease_until=lease):
        return None
    return ProfileSync.objects.get(user_id=user_id)


def _send(row: ProfileSync, user: User, link: CustomerLink) -> None:
    """Sends to each system whatever the other says. The row was read before the values: what changes meanwhile has a
    higher number and is sent again. Raises the trouble that a later try may end before a refusal."""
    address = Address.objects.filter(user=user).first() if Part.ADDRESS.value in row.parts else None
    ways: dict[str, Callable[[], None]] = {
        "whmcs_has": lambda: _tell_whmcs(row, link, for_whmcs(user, address, row.parts)),
        "salesforce_has": lambda: gateway.salesforce().write_details(
            account_id=link.sf_account_id,
            contact_id=link.sf_contact_id,
            details=for_salesforce(user, address, row.parts),
        ),
    }
    troubles: list[OutsideError] = []
    for has, tell in ways.items():
        if getattr(row, has) >= row.wanted:
            continue
        try:
            tell()
        except OutsideError as error:
            troubles.append(error)
        else:
            ProfileSync.objects.filter(pk=row.pk, **{f"{has}__lt": row.wanted}).update(**{has: row.wanted})
    if troubles:
        raise min(troubles, key=lambda error: isinstance(error, Rejected))


def _tell_whmcs(row: ProfileSync, link: CustomerLink, profile: ClientProfile) -> None:
    """An address that another client has is support's business; the rest arrives."""
    whmcs, client_id = gateway.whmcs(), link.whmcs_client_id or 0
    try:
        whmcs.update_profile(client_id, profile)
    except Rejected as refused:
        if refused.code != "email_taken":
            raise
        _ask_support(
            row,
            link,
            cause=f"email_taken:{row.pk}:{row.wanted}",
            subject="A customer's new e-mail address is another client's in WHMCS",
            description=f"The customer signs in to the portal with a new, confirmed e-mail address. WHMCS keeps the "
            f"old one for client {client_id}, because another client has the new one. Find out whose that client is, "
            "then correct the address in WHMCS.",
        )
        whmcs.update_profile(client_id, replace(profile, email=""))


def _settle(row: ProfileSync) -> None:
    """Nothing more to do, unless the customer changed something meanwhile."""
    mine = ProfileSync.objects.filter(pk=row.pk)
    mine.filter(wanted=row.wanted).update(next_try_at=None, due_since=None, tries=0, error_code="", parts=[])
    mine.update(lease_until=None)


def _put_off(row: ProfileSync, error: OutsideError, link: CustomerLink) -> None:
    """The next try, or after a few refusals a Case instead: what is refused again and again is refused for ever."""
    tries = row.tries + 1
    is_final = isinstance(error, Rejected) and tries >= REFUSALS_BEFORE_A_CASE
    if is_final:
        _ask_support(
            row,
            link,
            cause=f"profile_refused:{row.pk}:{row.wanted}",
            subject="A customer's details are refused",
            description=f"{error.system} refuses the {', '.join(row.parts)} that the customer entered in the portal "
            f"({error.code}). Compare the customer's page in the portal's admin with {error.system}, correct it there.",
        )
    ProfileSync.objects.filter(pk=row.pk, wanted=row.wanted).update(
        tries=tries, next_try_at=None if is_final else Now() + back_off(tries), error_code=error.code[:40]
    )
    ProfileSync.objects.filter(pk=row.pk, next_try_at=None).update(due_since=None)
    ProfileSync.objects.filter(pk=row.pk).update(lease_until=None)
    log.warning("profile_not_sent", system=error.system, operation=error.operation, error_code=error.code, count=tries)


def _ask_support(row: ProfileSync, link: CustomerLink, *, cause: str, subject: str, description: str) -> None:
    """A Case, once per cause; what the customer typed does not stand in it."""
    open_case(
        cause=cause,
        kind="General Inquiry",
        subject=subject,
        description=description,
        user_id=row.user_id,
        sf_account_id=link.sf_account_id,
    )


def for_whmcs(user: User, address: Address | None, parts: Collection[str]) -> ClientProfile:
    """These parts for WHMCS, which gets romaji wherever it is known: gateways and checks for fraud read Latin letters
    only (whmcs-wire.md §3.7)."""
    names = {"given_name": user.given_name, "family_name": user.family_name} if Part.NAMES.value in parts else {}
    profile = ClientProfile(
        **names,
        phone=user.phone if Part.PHONE.value in parts else "",
        language=user.language if Part.LANGUAGE.value in parts else "",
        email=user.email if Part.EMAIL.value in parts else "",
        news=user.news_mails if Part.NEWS.value in parts else None,
    )
    return profile if address is None else _with_address(profile, address)


def _with_address(profile: ClientProfile, address: Address) -> ClientProfile:
    city, street = address.city, address.street
    place = next((each for each in postal_codes.places_of(address.postal_code) if each.city == city), None)
    if place is not None:
        city = place.city_romaji
    if place is not None and place.town and street.startswith(place.town):
        street = f"{place.town_romaji} {street.removeprefix(place.town).strip()}".strip()
    return replace(
        profile,
        address1=street,
        address2=f"{address.building} {address.room}".strip(),
        city=city,
        state=PREFECTURES[address.prefecture].romaji,
        postcode=f"{address.postal_code[:3]}-{address.postal_code[3:]}",
    )


def for_salesforce(user: User, address: Address | None, parts: Collection[str]) -> ContactDetails:
    """These parts for Salesforce, as the customer typed them, the prefecture in kanji when the city is."""
    names = {"given_name": user.given_name, "family_name": user.family_name} if Part.NAMES.value in parts else {}
    details = ContactDetails(
        **names,
        phone=user.phone if Part.PHONE.value in parts else "",
        email=user.email if Part.EMAIL.value in parts else "",
        news=user.news_mails if Part.NEWS.value in parts else None,
    )
    if address is None:
        return details
    prefecture = PREFECTURES[address.prefecture]
    inside = " ".join(filter(None, (address.building, address.room)))
    return replace(
        details,
        street="\n".join(filter(None, (address.street, inside))),
        city=address.city,
        state=prefecture.romaji if address.city.isascii() else prefecture.kanji,
        postal_code=f"{address.postal_code[:3]}-{address.postal_code[3:]}",
    )
