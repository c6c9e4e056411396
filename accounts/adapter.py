"""Where django-allauth meets the portal: its e-mails, its hooks, its redirects."""

import uuid
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.ratelimit import get_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from accounts import signup, signup_again
from accounts.access import is_ours, setup_url
from accounts.models import User
from accounts.names import addressee
from accounts.profile import languages
from accounts.security import backoff, notices, sessions
from notifications import outgoing, secrets

# allauth's name -> (our template, the values in it that only the recipient may read)
MAILS: dict[str, tuple[str, tuple[str, ...]]] = {
    "account/email/email_confirmation_signup": ("verification_code", ("code",)),
    "account/email/email_confirmation": ("verification_code", ("code",)),
    "account/email/password_reset_key": ("password_reset", ("path",)),
    "account/email/unknown_account": ("unknown_account", ()),
    "account/email/account_already_exists": ("account_exists", ()),
}


# allauth's name of an error -> what to do about it
SENTENCES = {
    "email_password_mismatch": _(
        "The e-mail address or the password is not right. Try again, or set a new password below."
    ),
    "incorrect_code": _("This is not the code we sent. Look at the newest e-mail, or have a new code sent."),
}


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up, sign-in and their e-mails by the portal's own rules."""

    error_messages = {**DefaultAccountAdapter.error_messages, **SENTENCES}

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Records the e-mail for the `emails` queue: sent later, so known and unknown addresses take equally long."""
        template, secret_names = MAILS[template_prefix]
        user = context.get("user")
        user = user if isinstance(user, User) else None
        outgoing.queue(
            cause=f"{template}:{uuid.uuid4()}",
            template=template,
            to=email,
            user_id=user.pk if user else None,
            language=_language(user),
            context={"addressee": addressee(user, user.language) if user else ""},
            secret={name: context[name] for name in secret_names},
        )

    def send_password_reset_mail(self, user: Any, email: str, context: dict[str, Any]) -> None:
        """The link's host is SITE_URL, never the request's Host header; only the path goes into the e-mail."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": context["uid"], "key": context["key"]})
        self.send_mail("account/email/password_reset_key", email, context | {"path": path, "user": user})

    def send_notification_mail(
        self, template_prefix: str, user: Any, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Tells the owner, at `email` or the usual address. An address taken back before it counted is no event."""
        event = template_prefix.rpartition("/")[2]
        if event in notices.EVENTS:
            notices.send(event, user, to=email or "", request=self.request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Two limits: one per account and address, which grows, and allauth's per address (decisions.md 7)."""
        try:
            backoff.admit(*_guessed(request, credentials))
        except backoff.Wait as wait:
            raise ValidationError(_wait_sentence(wait), code="wait") from None
        super().pre_authenticate(request, **credentials)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """A right password ends the waiting for this account from this address."""
        user = super().authenticate(request, **credentials)
        if user is not None:
            backoff.forget(*_guessed(request, credentials))
        return user

    def pre_login(self, request: HttpRequest, user: Any, **about: Any) -> HttpResponse | None:
        """A disabled user and a closed account are told so, after the right password only (decisions.md 6)."""
        if sessions.is_closed(user):
            clear_login(request)
            return HttpResponseRedirect(reverse("account_inactive"))
        return super().pre_login(request, user, **about)  # type: ignore[no-any-return]

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """The journey to the other two systems begins with the verified e-mail (decisions.md 1)."""
        try:
            with transaction.atomic():
                confirmed: bool = super().confirm_email(request, email_address)
                if confirmed and isinstance(email_address.user, User):
                    signup_again.apply(request, email_address.user)
                    signup.begin(email_address.user)
        except signup_again.Lost:
            raise ImmediateHttpResponse(_sign_up_anew(request)) from None
        return confirmed

    def is_safe_url(self, url: str | None) -> bool:
        """Where `next` may lead: the same as everywhere in the portal. allauth's own way breaks over `//[nonsense]`."""
        return bool(url) and is_ours(self.request, str(url))

    def post_login(self, request: HttpRequest, user: Any, **about: Any) -> HttpResponse:
        """Who has just signed up sees the setting up first, with the way back to what they came for. A browser in
        which no language was chosen gets the user's."""
        if about["signup"]:
            about["redirect_url"] = setup_url(about["redirect_url"] or "")
        response: HttpResponse = super().post_login(request, user, **about)
        if not languages.is_chosen(request):
            languages.keep(response, user.language)
        return response


class MFAAdapter(DefaultMFAAdapter):
    """Secrets encrypted in the database."""

    def encrypt(self, text: str) -> str:
        return secrets.seal({"secret": text})

    def decrypt(self, encrypted_text: str) -> str:
        return str(secrets.unseal(encrypted_text)["secret"])

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        """What a passkey is called until its owner says otherwise."""
        return _("Passkey %(number)s") % {"number": Authenticator.objects.filter(user=user, type=type).count() + 1}

    def build_totp_svg(self, url: str) -> str:
        """Not drawn here: the page draws the code inline with the portal's own tag, as the security policy wants."""
        return ""


def _guessed(request: HttpRequest, credentials: dict[str, Any]) -> tuple[str, ...]:
    """What a try at a password is counted by: the account it names, known or not, and where it comes from."""
    return "password", str(credentials.get("email", "")).lower(), get_ip(request)


def _sign_up_anew(request: HttpRequest) -> HttpResponse:
    clear_login(request)
    list(messages.get_messages(request))  # "you have confirmed", which was taken back
    messages.error(request, _("We could not keep what you had typed. Please fill in the form once more."))
    return HttpResponseRedirect(reverse("account_signup"))


def _wait_sentence(wait: backoff.Wait) -> str:
    return ngettext(
        "Too many tries for this account from here. Try again in %(minutes)s minute, or set a new password below.",
        "Too many tries for this account from here. Try again in %(minutes)s minutes, or set a new password below.",
        wait.minutes,
    ) % {"minutes": wait.minutes}


def _language(user: User | None) -> str:
    if user is not None:
        return user.language
    return "ja" if (get_language() or settings.LANGUAGE_CODE).startswith("ja") else "en"
