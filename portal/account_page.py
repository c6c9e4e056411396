"""The account at a glance: every setting there is, and how it stands now. No remote call."""

from collections.abc import Callable
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_safe

from accounts import closing
from accounts.access import user_of
from accounts.identity.standing import standing
from accounts.links import link_of, linked
from accounts.models import Address, CustomerLink, SignupJourney, User
from accounts.names import full_name
from accounts.profile.prefectures import PREFECTURES
from accounts.security import sessions
from accounts.setting_up import Place, place_of


@dataclass(frozen=True)
class Setting:
    """One line of the page: where it leads, and its present state in a few words."""

    name: str
    url: str
    state: str


@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """All settings of the signed-in user, customers or not yet."""
    user = user_of(request)
    settings = [Setting(name(), reverse(view), state(user)) for name, view, state in LINES]
    return render(request, "portal/account.html", {"settings": settings, "link": linked(user)})


def _address(user: User) -> str:
    address = Address.objects.filter(user=user).first()
    if address is None:
        return _("%(name)s, no address yet") % {"name": full_name(user)}
    prefecture = PREFECTURES[address.prefecture]
    place = prefecture.romaji if address.city.isascii() else prefecture.kanji
    return f"{full_name(user)}, {address.postal_code[:3]}-{address.postal_code[3:]} {place} {address.city}"


def _payment(user: User) -> str:
    link = linked(user)
    if link is None:
        return _("Can be added once your customer account is set up")
    if link.card_warning:
        return {"expiring": _("The card expires soon"), "expired": _("The card has expired")}[link.card_warning]
    words = {True: pgettext("payment method", "On file"), False: _("None yet"), None: _("Not looked at yet")}
    return words[link.has_payment_method]


def _identity(user: User) -> str:
    now = standing(user)
    if now.refused is not None:
        return _("Not accepted; send your documents again")
    words = {"verified": _("Confirmed"), "checking": _("We are checking your documents")}
    return words.get(now.place, _("Needed for a SIM only"))


def _email(user: User) -> str:
    return user.email


def _password(user: User) -> str:
    return pgettext("password", "Set") if user.has_usable_password() else _("None yet")


def _security(user: User) -> str:
    kinds = list(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    keys = kinds.count(Authenticator.Type.WEBAUTHN)
    passkeys = ngettext("%(count)s passkey", "%(count)s passkeys", keys) % {"count": keys}
    app = _("codes from an app: on") if Authenticator.Type.TOTP in kinds else _("codes from an app: off")
    return f"{passkeys}, {app}"


def _devices(user: User) -> str:
    count = sessions.listed(user).count()
    return ngettext("%(count)s device is signed in", "%(count)s devices are signed in", count) % {"count": count}


def _mails(user: User) -> str:
    news = _("news by e-mail: on") if user.news_mails else _("news by e-mail: off")
    return f"{user.get_language_display()}, {news}"


def _data(user: User) -> str:
    if closing.open_request(user) is not None:
        return _("You asked us to close the account")
    link = link_of(user)
    if link is not None and link.state == CustomerLink.State.LINKED:
        return _("The account is open")
    place = place_of(link, SignupJourney.objects.filter(user=user).first())
    words = {
        Place.LATE: _("The account is being set up, which takes longer than usual"),
        Place.NUMBER: _("Your customer number could not be matched"),
        Place.COMPARING: _("We are comparing your details by hand"),
        Place.SUPPORT: _("Our team is looking at your sign-up"),
    }
    return words.get(place, _("The account is being set up"))


LINES: tuple[tuple[Callable[[], str], str, Callable[[User], str]], ...] = (
    (lambda: _("Name and address"), "address", _address),
    (lambda: _("Payment method"), "payment_methods", _payment),
    (lambda: _("Proof of identity"), "identity", _identity),
    (lambda: _("E-mail address"), "account_email", _email),
    (lambda: _("Password"), "account_change_password", _password),
    (lambda: _("Sign-in and security"), "mfa_index", _security),
    (lambda: _("Where you are signed in"), "devices", _devices),
    (lambda: _("Language and e-mails"), "mail_preferences", _mails),
    (lambda: pgettext("settings", "Your data, closing the account"), "your_data", _data),
)
