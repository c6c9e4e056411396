"""Sign-ups as staff see them, and what staff decide about them."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import signup
from accounts.journeys import NotAllowed
from accounts.models import SignupJourney
from audit import trail
from audit.confirming import confirmation, reason_of

IDS = ("sf_account_id", "sf_contact_id", "sf_account_no", "whmcs_client_id")


# Lists filter by choices only: Django asks for all values of any other field, which is slow on a large table.


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Found and read, not edited, added or deleted here; what may be done are named actions."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [field.name for field in self.model._meta.fields]


@admin.register(SignupJourney)
class SignupJourneyAdmin(ReadOnly):
    """Where each sign-up stands, and what staff can decide."""

    list_display = (
        "user",
        "kind",
        "state",
        "step",
        "error_code",
        "claimed_number",
        "tries",
        "next_try_at",
        *IDS[:3],
        "created_at",
    )
    list_filter = ("state", "step", "kind")
    list_select_related = ("user",)
    search_fields = (
        "user__email__istartswith",
        "user__family_name__istartswith",
        "claimed_number__exact",
        "error_code__exact",
        "ref__exact",
        *(f"{name}__exact" for name in IDS),
    )
    ordering = ("-id",)
    actions = ("advance_now", "accept_claims", "reject_claims")

    @admin.action(description=_("Try again now"), permissions=["change"])
    def advance_now(self, request: HttpRequest, queryset: QuerySet[SignupJourney]) -> None:
        self._each(request, queryset, signup.resume, reason="")

    @admin.action(description=_("The number is theirs: link the account"), permissions=["change"])
    def accept_claims(self, request: HttpRequest, queryset: QuerySet[SignupJourney]) -> HttpResponse | None:
        effect = _(
            "Whoever signed up becomes this Account's customer at once: they see its name, address, orders, services "
            "and bills, and order in its name. Be sure that it is theirs; it cannot be taken back here."
        )
        return self._decide(request, queryset, signup.accept_claim, "accept_claims", effect)

    @admin.action(description=_("The number is not theirs: go on as a new customer"), permissions=["change"])
    def reject_claims(self, request: HttpRequest, queryset: QuerySet[SignupJourney]) -> HttpResponse | None:
        effect = _("Whoever signed up gets an Account of their own. The customer number stays with its owner.")
        return self._decide(request, queryset, signup.reject_claim, "reject_claims", effect)

    def _decide(
        self,
        request: HttpRequest,
        claims: QuerySet[SignupJourney],
        decide: Callable[[int], None],
        action: str,
        effect: str | Promise,
    ) -> HttpResponse | None:
        """Asks for the reason on a page of its own first (docs/decisions.md 44)."""
        if reason := reason_of(request):
            self._each(request, claims, decide, reason)
            return None
        label = str(self.get_action(action)[2])  # type: ignore[index]
        return confirmation(request, claims, action=action, label=label, effect=str(effect), name=_claim)

    def _each(
        self, request: HttpRequest, queryset: QuerySet[SignupJourney], decide: Callable[[int], None], reason: str
    ) -> None:
        for journey in queryset:
            try:
                _carry_out(request, journey, decide, reason)
            except NotAllowed:
                words = _("Journey %(id)s is not waiting for this.") % {"id": journey.pk}
                self.message_user(request, words, messages.ERROR)
            else:
                self.log_change(request, journey, decide.__name__)


def _carry_out(request: HttpRequest, journey: SignupJourney, decide: Callable[[int], None], reason: str) -> None:
    """One decision and its entry in the trail, or neither. Raises NotAllowed."""
    with transaction.atomic():
        decide(journey.pk)
        name, subject = f"signup.{decide.__name__}", f"journey:{journey.pk}"
        trail.record_request(request, name, user_id=journey.user_id, subject=subject, reason=reason)


def _claim(journey: SignupJourney) -> str:
    """Who says that which number is theirs."""
    words = _("%(name)s <%(email)s> says that customer number %(number)s is theirs (Account %(account)s)")
    return str(words) % {
        "name": journey.user.get_full_name(),
        "email": journey.user.email,
        "number": journey.claimed_number,
        "account": journey.sf_account_id or "–",
    }
