"""What people type about themselves."""

from dataclasses import dataclass
from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.utils import get_next_redirect_url
from django import forms
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.functional import Promise, lazy
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts import numbers, signup, signup_again
from accounts.models import SignupJourney, User
from accounts.names import NameOrder

NO_CONTROL_CHARACTERS = RegexValidator(
    r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069<>]*\Z", _("Use letters, spaces and hyphens.")
)
WRONG_NUMBER = _("Enter the digits of your customer number, for example 104 882")


def _linking_text(words: str | Promise, *urls: str | Promise) -> str:
    return format_html(str(words), *urls)


_linked_text = lazy(_linking_text, str)


@dataclass(frozen=True)
class Choice:
    """What a radio button says."""

    label: str | Promise
    hint: str | Promise = ""
    reveals: bool = False

    def __str__(self) -> str:
        return str(self.label)


class CustomerNumberField(forms.CharField):
    """The digits of a customer number; spaces, hyphens and full-width digits are tolerated."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"class": "w-s", "inputmode": "numeric", "autocomplete": "off"}
        hint = _("The digits on any bill or letter, for example 104 882")
        super().__init__(
            label=_("Customer number"),
            help_text=hint,
            widget=forms.TextInput(attrs=attrs),
            max_length=40,
            error_messages={"required": WRONG_NUMBER, "max_length": WRONG_NUMBER},
            **kwargs,
        )

    def clean(self, value: Any) -> str:
        number = numbers.read(super().clean(value))
        if number is None:
            raise ValidationError(WRONG_NUMBER, code="shape")
        return number


class NumberForm(forms.Form):
    """Another customer number, after the first was not matched."""

    number = CustomerNumberField()


def _name(label: Any, autocomplete: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=60,
        help_text=_("As on your residence card"),
        validators=[NO_CONTROL_CHARACTERS],
        widget=forms.TextInput(attrs={"autocomplete": autocomplete}),
    )


class SignupForm(NameOrder, allauth_forms.SignupForm):
    """New, or with a customer number: one form (product.md §2)."""

    field_order = ("source", "number", "given_name", "family_name", "email", "password1", "terms")
    account_already_exists: bool
    source = forms.ChoiceField(
        label=_("Have you been a customer before?"),
        choices=[
            (SignupJourney.Kind.NEW, Choice(_("I’m new"), _("Start here if this is your first time with us."))),
            (
                SignupJourney.Kind.LEGACY,
                Choice(_("I have a customer number"), _("You find it on any bill or letter, top right."), reveals=True),
            ),
        ],
        initial=SignupJourney.Kind.NEW,
        widget=forms.RadioSelect(attrs={"across": True}),
    )
    number = CustomerNumberField()
    given_name = _name(_("Given names"), "given-name")
    family_name = _name(_("Family name"), "family-name")
    terms = forms.BooleanField(
        label=_linked_text(
            _('I agree to the <a href="{}">terms</a> and have read the <a href="{}">privacy notice</a>'),
            reverse_lazy("terms"),
            reverse_lazy("privacy"),
        ),
        error_messages={"required": _("Agree to the terms to create an account")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        email, password = self.fields["email"], self.fields["password1"]
        email.label, email.help_text = _("E-mail address"), _("We send a code to confirm it")
        email.widget.attrs = {"autocomplete": "email", "class": "w-l"}
        email.widget.input_type = "email"
        password.help_text = _("At least 12 characters. A short sentence works well; spaces are fine.")
        password.widget.attrs = {"autocomplete": "new-password", "class": "w-l"}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("source") != SignupJourney.Kind.LEGACY:
            self.errors.pop("number", None)  # asked only of those who say they have one
            cleaned["number"] = ""
        return cleaned

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Creates the user, or tells the owner of a used address by e-mail; the answer is the same and as slow.

        An address that nobody has confirmed is used by nobody: who confirms it decides (`signup_again`).
        """
        signup_again.forget(request)
        if self.account_already_exists:
            password = make_password(self.cleaned_data["password1"])  # hashed once on every way: its time tells nothing
            return self._again(request, password) or super().try_save(request)
        try:
            return super().try_save(request)  # type: ignore[no-any-return]
        except IntegrityError:  # the same address was signed up between the check and here
            self.account_already_exists = True
            return self.try_save(request)

    def _again(self, request: HttpRequest, password: str) -> tuple[User, None] | None:
        user = signup_again.unconfirmed().filter(email__iexact=self.cleaned_data["email"]).first()
        if user is None:
            return None
        said = self._of_the_user() | {"password": password}
        number, checkout = self.cleaned_data["number"], _came_from_checkout(request)
        signup_again.keep(request, user, claimed_number=number, from_checkout=checkout, **said)
        return user, None

    def save(self, request: HttpRequest) -> User:
        """The user, the address to be verified and the waiting journey, or none of them."""
        with transaction.atomic():
            user: User = super().save(request)
            signup.start(
                user=user, claimed_number=self.cleaned_data["number"], from_checkout=_came_from_checkout(request)
            )
        return user

    def signup(self, request: HttpRequest, user: User) -> None:
        """allauth's hook for the fields it does not know."""
        said = self._of_the_user() | {"terms_accepted_at": timezone.now()}
        for name, value in said.items():
            setattr(user, name, value)
        user.save(update_fields=list(said))

    def _of_the_user(self) -> dict[str, Any]:
        names = {name: self.cleaned_data[name] for name in ("given_name", "family_name")}
        language = "ja" if (get_language() or "").startswith("ja") else "en"
        return names | {"language": language, "terms_version": settings.TERMS_VERSION}


def _came_from_checkout(request: HttpRequest) -> bool:
    return (get_next_redirect_url(request) or "").startswith(reverse("checkout"))
