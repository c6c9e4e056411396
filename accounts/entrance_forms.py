"""allauth's own forms in the portal's words: labels of ours, no placeholders, hints without markup."""

from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import signup_again
from accounts.models import User
from accounts.security import backoff, hold
from accounts.security.passwords import LongestLength

PASSWORD_HINT = _("At least 12 characters. A short sentence works well; spaces are fine.")
LABELS: dict[str, Promise] = {
    "login": _("E-mail address"),
    "email": _("E-mail address"),
    "password": _("Password"),
    "oldpassword": _("Current password"),
    "password1": _("New password"),
    "password2": _("New password, once more"),
    "code": _("Code"),
    "name": _("Name of the passkey"),
}
PASSWORDS = {"password", "oldpassword", "password1", "password2"}
CODE_ATTRS = {"class": "w-s", "autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"}


def not_too_long(password: str) -> None:
    """Said rather than cut: the input has no maxlength, with which a browser cuts what is pasted."""
    LongestLength().validate(password)


class OurWords:
    """Goes before an allauth form among the bases."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = LABELS.get(name, field.label)
            field.help_text = PASSWORD_HINT if name == "password1" else ""
            field.widget.attrs.pop("placeholder", None)
            field.widget.attrs.setdefault("class", "w-l")
            if name in PASSWORDS:
                field.validators.append(not_too_long)
        if "code" in self.fields:
            self.fields["code"].widget.attrs |= CODE_ATTRS


class LoginForm(OurWords, account.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autocomplete"] = "username webauthn"


class ResetPasswordForm(OurWords, account.ResetPasswordForm):
    """Asks for the address. One that nobody has confirmed belongs to nobody yet: who owns it signs up."""

    users: list[User]

    def clean_email(self) -> str:
        email = str(super().clean_email())
        strangers = set(signup_again.unconfirmed().filter(email__iexact=email).values_list("pk", flat=True))
        self.users = [user for user in self.users if user.pk not in strangers]
        return email


class ResetPasswordKeyForm(OurWords, account.ResetPasswordKeyForm):
    """Sets the new password."""


class ChangePasswordForm(OurWords, account.ChangePasswordForm):
    """Changes the password of a signed-in user."""


class AddEmailForm(OurWords, account.AddEmailForm):
    """Asks for the new address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("New e-mail address")

    def clean_email(self) -> str:
        """Not for a day after customer support removed a second factor (decisions.md 37)."""
        if hold.until(self.user):
            raise ValidationError(hold.SENTENCE, code="held")
        return str(super().clean_email())


class ConfirmCodeForm(OurWords, account.ConfirmEmailVerificationCodeForm):
    """The code from the e-mail."""


class ReauthenticateForm(OurWords, account.ReauthenticateForm):
    """The password once more."""


def wait_sentence(wait: backoff.Wait) -> str:
    """How long to wait for the next code."""
    return ngettext(
        "Too many wrong codes. Try again in %(minutes)s minute.",
        "Too many wrong codes. Try again in %(minutes)s minutes.",
        wait.minutes,
    ) % {"minutes": wait.minutes}


class SlowedDown:
    """Wrong codes make the next one wait, for this user wherever they come from: who gets here knows the password."""

    user: Any

    def clean_code(self) -> str:
        try:
            backoff.admit("code", str(self.user.pk))
        except backoff.Wait as wait:
            raise ValidationError(wait_sentence(wait), code="wait") from None
        code: str = super().clean_code()  # type: ignore[misc]
        backoff.forget("code", str(self.user.pk))
        return code


class SecondFactorForm(SlowedDown, OurWords, mfa.AuthenticateForm):
    """The code from the app, or a recovery code."""


class SecondFactorAgainForm(SlowedDown, OurWords, mfa.ReauthenticateForm):
    """The code from the app once more."""


class ActivateAppForm(OurWords, totp.ActivateTOTPForm):
    """The first code from the app."""


class AddPasskeyForm(OurWords, webauthn.AddWebAuthnForm):
    """A passkey that signs in by itself unless somebody wants it as a second step alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        alone = self.fields["passwordless"]
        alone.initial, alone.label = True, _("Sign in with it alone")
        alone.help_text = _("Without this, it is a second step after your password.")
        alone.widget.attrs.pop("class")
