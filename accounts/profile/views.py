"""Name and address, and which mails."""

from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import drafts
from accounts.access import asked_next, user_of
from accounts.identity.standing import standing
from accounts.models import User
from accounts.profile import languages, postal_codes
from accounts.profile.forms import AddressForm, MailForm, initial_of, on_file, with_place
from accounts.profile.saving import save_mails, save_profile

ON_PAPERS = ("checking", "verified")  # where the name is what papers say that are on their way, or were checked


@login_required
@require_http_methods(["GET", "POST"])
@never_cache
def address(request: HttpRequest) -> HttpResponse:
    """Shows and saves name, address and phone; the button "Find" fills in the place of the postal code."""
    user = user_of(request)
    known = initial_of(user) | (drafts.typed(request) if request.method == "GET" else {})
    form = AddressForm(request.POST or None, initial=known, names_locked=_names_locked(user))
    if "find" in request.POST:
        return _page(request, _with_place(request, user))
    if request.method == "POST" and form.is_valid():
        if save_profile(user, form.cleaned_data):
            messages.success(request, _("Saved. Billing and support get it within a minute."))
        return HttpResponseRedirect(asked_next(request) or reverse("dashboard"))
    return _page(request, form, status=422 if form.errors else 200)


@require_POST
@never_cache
def place(request: HttpRequest) -> JsonResponse:
    """The place of a postal code, for the script on pages with an address; 404 when there is none. By POST, so that
    where somebody lives stands in no log of addresses. Visitors may ask too: it is Japan Post's public table."""
    code, chosen = postal_codes.digits(request.POST.get("postal_code", ""))[:7], request.POST.get("prefecture", "")
    prefectures = [str(each) for each in postal_codes.prefectures_of(code)]
    found = postal_codes.place_of(code, int(chosen) if chosen in prefectures else None)
    if found is None:
        return JsonResponse({}, status=404)
    if len(prefectures) > 1 and chosen not in prefectures:
        return JsonResponse({"prefecture": "", "city": "", "street": ""})  # only who lives there knows
    return JsonResponse({"prefecture": found.prefecture, "city": found.city, "street": found.town})


@login_required
@require_http_methods(["GET", "POST"])
@never_cache
def mails(request: HttpRequest) -> HttpResponse:
    """The language, and news or none."""
    user = user_of(request)
    known = {"language": user.language, "news_mails": user.news_mails}
    form = MailForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        language: str = form.cleaned_data["language"]
        save_mails(user, language=language, news_mails=form.cleaned_data["news_mails"])
        with override(language):
            messages.success(request, _("Saved."))
        response = redirect("mail_preferences")
        languages.choose(response, language)
        return response
    return render(request, "accounts/mail_preferences.html", {"form": form}, status=422 if form.errors else 200)


def _names_locked(user: User) -> bool:
    return standing(user).place in ON_PAPERS


def _with_place(request: HttpRequest, user: User) -> AddressForm:
    """The form as typed, with the postal code's place filled in."""
    build = partial(AddressForm, names_locked=_names_locked(user))
    return with_place(build, {name: request.POST[name] for name in _asked(request)}, initial_of(user))


def _asked(request: HttpRequest) -> list[str]:
    """The fields that came; a browser leaves locked ones out."""
    return [name for name in AddressForm.base_fields if name in request.POST]


def _page(request: HttpRequest, form: AddressForm, status: int = 200) -> HttpResponse:
    is_offered = request.method == "GET" and bool(on_file(user_of(request)))
    context = {"form": form, "next": asked_next(request), "on_file": is_offered}
    return render(request, "accounts/address.html", context, status=422 if form.errors else status)
