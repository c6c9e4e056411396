"""The customer's pages about identity papers. None shows a paper's content: what was sent in is for support's eyes."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.access import asked_next, setup_url, user_of
from accounts.identity import drafts
from accounts.identity.forms import FileForm, KindForm, SendForm
from accounts.identity.standing import Standing, standing
from accounts.identity.uploading import NotKept, files_of
from accounts.identity.wording import FORMAT_NAMES, side_of
from accounts.models import IdentityCheck, IdentityDocument, User
from accounts.names import full_name


@login_required
@require_safe
@never_cache
def identity(request: HttpRequest) -> HttpResponse:
    """Where the check stands, and what to do."""
    now = standing(user_of(request))
    if now.place == "unknown":
        return HttpResponseRedirect(setup_url(request.get_full_path()))
    return _page(request, now)


@login_required
@require_POST
@never_cache
def begin(request: HttpRequest) -> HttpResponse:
    """Chooses the kind of paper."""
    now = standing(user_of(request))
    form = KindForm(request.POST)
    if now.place != "open":
        return redirect("identity")
    if not form.is_valid():
        return _page(request, now, form)
    try:
        drafts.begin(user_of(request), form.cleaned_data["paper"])
    except drafts.NotOpen:
        return redirect("identity")
    return _back(request)


@login_required
@require_POST
@never_cache
def upload(request: HttpRequest) -> HttpResponse:
    """Takes one file. Opening it may take seconds and is done in a process of its own; asks no outside system."""
    user = user_of(request)
    now, draft = standing(user), drafts.of(user)
    side = request.POST.get("side", "")
    if now.place != "open" or draft is None or side not in drafts.taken(draft):
        return redirect("identity")
    often = not ratelimit.consume(request, action="identity_upload")
    files = {"file": NotKept("too_often")} if often else files_of(request)
    form = FileForm(request.POST, files, kind=draft.paper, side=side)
    if not form.is_valid():
        return _page(request, now, form, status=429 if often else 422)
    try:
        drafts.add(user, side, form.cleaned_data["file"])
    except drafts.NotTaken:
        form = FileForm(request.POST, {"file": NotKept("too_many")}, kind=draft.paper, side=side)
        return _page(request, now, form)
    except drafts.NotOpen:
        return redirect("identity")
    messages.success(request, _("Received: %(side)s") % {"side": side_of(draft.paper, side)})
    return _back(request)


@login_required
@require_POST
@never_cache
def remove(request: HttpRequest, document: UUID) -> HttpResponse:
    """Deletes a file of the customer's own draft; anything else does not exist."""
    if not drafts.take_out(user_of(request), document):
        raise Http404
    messages.success(request, _("Removed."))
    return _back(request)


@login_required
@require_POST
@never_cache
def send(request: HttpRequest) -> HttpResponse:
    """Sends the papers in, once."""
    user = user_of(request)
    now, form = standing(user), SendForm(request.POST)
    if now.place != "open":
        return redirect("identity")
    if not form.is_valid():
        return _page(request, now, form)
    try:
        drafts.submit(user)
    except drafts.Incomplete as missing:
        draft = drafts.of(user)
        names = ", ".join(str(side_of(draft.paper, side)) for side in missing.sides) if draft else ""
        form.add_error(None, _("Still missing: %(sides)s") % {"sides": names})
        return _page(request, now, form)
    except drafts.NotOpen:
        return redirect("identity")
    messages.success(request, _("We have your documents."))
    return _back(request)


@login_required
@never_cache
def too_large(request: HttpRequest) -> HttpResponse:
    """What the web server in front shows instead of its own page when a body is larger than it lets through."""
    return render(request, "accounts/identity_too_large.html", status=413)


@require_safe
def by_chip(request: HttpRequest) -> HttpResponse:
    """How identity is confirmed for plans for which photos do not suffice (Product2.Portal_Identity__c = Other)."""
    return render(request, "accounts/identity_by_chip.html")


def _page(request: HttpRequest, now: Standing, form: Form | None = None, status: int = 0) -> HttpResponse:
    user = user_of(request)
    draft = drafts.of(user) if now.place == "open" else None
    context = {
        "standing": now,
        "form": form,
        "next": asked_next(request),
        "keep_days": settings.IDENTITY_KEEP_DAYS,
        "kind_form": form if isinstance(form, KindForm) else KindForm(initial={"paper": draft.paper if draft else ""}),
    }
    if draft is not None:
        context |= _draft(user, draft, form)
    return render(request, "accounts/identity.html", context, status=status or (422 if form else 200))


def _draft(user: User, draft: IdentityCheck, form: Form | None) -> dict[str, Any]:
    """The files that are there, and a form for each side that is not; `form` takes the place of its own kind."""
    there = list(draft.documents.filter(deleted_at=None))
    missing = drafts.missing(draft)
    asked = [side for side in drafts.taken(draft) if side in missing or side == "other"]
    forms = {side: FileForm(kind=draft.paper, side=side) for side in asked if len(there) < drafts.MOST_FILES}
    if isinstance(form, FileForm):
        forms[form.asked] = form
    return {
        "draft": draft,
        "files": [_facts(draft, each) for each in there],
        "missing": [each for side, each in forms.items() if side in missing],
        "further": [each for side, each in forms.items() if side not in missing],
        "complete": not missing,
        "send_form": form if isinstance(form, SendForm) else SendForm(),
        "name": full_name(user),
    }


def _facts(draft: IdentityCheck, file: IdentityDocument) -> dict[str, Any]:
    return {
        "id": file.pk,
        "name": side_of(draft.paper, file.side),
        "format": FORMAT_NAMES[file.content_type],
        "size": file.size,
        "at": file.created_at,
    }


def _back(request: HttpRequest) -> HttpResponse:
    """To the page, with the address the customer came from kept."""
    asked = asked_next(request)
    return HttpResponseRedirect(reverse("identity") + (f"?{urlencode({'next': asked})}" if asked else ""))
