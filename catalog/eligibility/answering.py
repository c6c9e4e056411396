"""Support's answer is noticed on the link, which the accounts refresh keeps (decisions.md 14), and told once."""

from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import CustomerLink, User
from accounts.names import addressee
from catalog import queries
from catalog.eligibility import asking, places
from catalog.eligibility.models import EligibilityRequest
from catalog.models import Product
from journal.commits import commit
from notifications import outgoing

State = EligibilityRequest.State
CHECKED = "Checked"  # Internet_Eligibility_Status__c


def notice(limit: int = 200) -> dict[str, int]:
    """Ends the requests whose answer has come and writes to their customers; says how many. No remote call.

    One query for all who wait. Safe to repeat and to run twice at once: each request is answered once.
    """
    return {"answered": sum(_answer(pk) for pk in list(_answered().values_list("pk", flat=True)[:limit]))}


def _answered() -> QuerySet[EligibilityRequest]:
    """The link says Checked about a check as new as ours. An older one's answer may stand there until the refresh has
    seen the Account as our Composite left it, which the request time proves whatever clocks say."""
    return EligibilityRequest.objects.filter(
        state=State.ASKED,
        user__link__state=CustomerLink.State.LINKED,
        user__link__internet_eligibility_status=CHECKED,
        user__link__internet_eligibility_requested_at__gte=F("requested_at"),
    ).order_by("pk")


def _answer(request_id: int) -> bool:
    with commit("eligibility.answer"):
        EligibilityRequest.objects.select_for_update().get(pk=request_id)
        request = _answered().select_related("user__link").filter(pk=request_id).first()
        if request is None or request.user is None:
            return False
        answer = request.user.link.internet_eligibility
        plans = queries.plans_for(answer)
        fields = {"answer": answer, "offered": bool(plans), "answered_at": timezone.now()}
        asking.transition(request_id, State.ANSWERED, **fields)
        _tell(request, request.user, plans)
    return True


def _tell(request: EligibilityRequest, user: User, plans: list[Product]) -> None:
    with translation.override(user.language):
        context: dict[str, Any] = {
            "addressee": addressee(user),
            "address": places.one_line(request),
            "plans": [{"name": plan.name, "price": plan.price, "cycle": plan.billing_cycle} for plan in plans],
            "url": f"{settings.SITE_URL}{reverse('eligibility_request', args=[request.ref])}",
        }
    outgoing.queue(
        cause=f"eligibility:{request.ref}",
        template="eligibility_offered" if plans else "eligibility_not_offered",
        to=user.email,
        user_id=user.pk,
        language=user.language,
        context=context,
    )
