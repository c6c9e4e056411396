"""Brings what the customer last said about themselves to WHMCS and Salesforce, again and again until it is there."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from accounts.links import linked
from accounts.models import Address, CustomerLink, ProfileSync, User
from accounts.profile import postal_codes
from accounts.profile.prefectures import PREFECTURES
from integrations import gateway
from integrations.errors import OutsideError, Rejected
from integrations.salesforce.schemas import ContactDetails
from integrations.whmcs.schemas import ClientProfile
from support.cases import back_off, open_case

log = structlog.get_logger(__name__)
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
    known = Q(user__link__state=CustomerLink.State.LINKED)
    waiting = list(_due().filter(known).order_by("next_try_at").values_list("user_id", flat=True)[:limit])
    return {"synced": sum(sync(user_id) for user_id in waiting)}


def _due() -> QuerySet[ProfileSync]:
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    return ProfileSync.objects.filter(free, next_try_at__lte=Now())


def _take(user_id: int) -> ProfileSync | None:
    lease = Now() + timedelta(seconds=2 * settings.READ_DEADLINE_S + settings.DEADLINE_MARGIN_S)
    if not _due().filter(user_id=user_id).update(lease_until=lease):
        return None
    return ProfileSync.objects.get(user_id=user_id)


def _send(row: ProfileSync, user: User, link: CustomerLink) -> None:
    """The row was read before the values: what changes meanwhile has a higher number and is sent again."""
    address = Address.objects.filter(user=user).first()
    if row.whmcs_has < row.wanted:
        gateway.whmcs().update_profile(link.whmcs_client_id or 0, for_whmcs(user, address))
        ProfileSync.objects.filter(pk=row.pk, whmcs_has__lt=row.wanted).update(whmcs_has=row.wanted)
    if row.salesforce_has < row.wanted:
        details = for_salesforce(user, address)
        gateway.salesforce().write_details(
            account_id=link.sf_account_id, contact_id=link.sf_contact_id, details=details
        )
        ProfileSync.objects.filter(pk=row.pk, salesforce_has__lt=row.wanted).update(salesforce_has=row.wanted)


def _settle(row: ProfileSync) -> None:
    """Nothing more to do, unless the customer changed something meanwhile."""
    mine = ProfileSync.objects.filter(pk=row.pk)
    mine.filter(wanted=row.wanted).update(next_try_at=None, tries=0, error_code="")
    mine.update(lease_until=None)


def _put_off(row: ProfileSync, error: OutsideError, link: CustomerLink) -> None:
    tries = row.tries + 1
    ProfileSync.objects.filter(pk=row.pk, wanted=row.wanted).update(
        tries=tries, next_try_at=Now() + back_off(tries), error_code=error.code[:40]
    )
    ProfileSync.objects.filter(pk=row.pk).update(lease_until=None)
    log.warning("profile_not_sent", system=error.system, operation=error.operation, error_code=error.code, count=tries)
    if isinstance(error, Rejected) and tries >= REFUSALS_BEFORE_A_CASE:
        open_case(
            cause=f"profile_refused:{row.pk}:{row.wanted}",
            kind="General Inquiry",
            subject="A customer's details are refused",
            description=f"{error.system} refuses the name, address or phone that the customer entered in the portal "
            f"({error.code}). Compare the customer's page in the portal's admin with {error.system}, correct it there.",
            user_id=row.user_id,
            sf_account_id=link.sf_account_id,
        )


def for_whmcs(user: User, address: Address | None) -> ClientProfile:
    """WHMCS gets romaji wherever it is known: gateways and checks for fraud read Latin letters only
    (whmcs-wire.md §3.7)."""
    profile = {"given_name": user.given_name, "family_name": user.family_name, "language": user.language}
    if address is None:
        return ClientProfile(**profile, phone=user.phone)
    place = postal_codes.place_of(address.postal_code)
    city, street = address.city, address.street
    if place is not None and city == place.city:
        city = place.city_romaji
    if place is not None and place.town and street.startswith(place.town):
        street = f"{place.town_romaji} {street.removeprefix(place.town).strip()}".strip()
    return ClientProfile(
        **profile,
        phone=user.phone,
        address1=street,
        address2=f"{address.building} {address.room}".strip(),
        city=city,
        state=PREFECTURES[address.prefecture].romaji,
        postcode=f"{address.postal_code[:3]}-{address.postal_code[3:]}",
    )


def for_salesforce(user: User, address: Address | None) -> ContactDetails:
    """Salesforce gets what the customer typed, the prefecture in kanji when the city is."""
    names = {"given_name": user.given_name, "family_name": user.family_name, "phone": user.phone}
    if address is None:
        return ContactDetails(**names)
    prefecture = PREFECTURES[address.prefecture]
    inside = " ".join(filter(None, (address.building, address.room)))
    return ContactDetails(
        **names,
        street="\n".join(filter(None, (address.street, inside))),
        city=address.city,
        state=prefecture.romaji if address.city.isascii() else prefecture.kanji,
        postal_code=f"{address.postal_code[:3]}-{address.postal_code[3:]}",
    )
