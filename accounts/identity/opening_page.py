"""The page on which a member of staff says why a paper is to be opened, and gets it as a download.

To everybody without the permission the address does not exist, whoever they are (security.md §2, §5).
"""

from uuid import UUID

import structlog
from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from accounts.identity import opening
from accounts.identity.scanning import CANNOT_READ
from accounts.models import IdentityDocument

log = structlog.get_logger(__name__)

LONGEST_REASON = 200
METHODS = ("GET", "HEAD", "POST")


def open_paper(request: HttpRequest, check_id: int, document_id: UUID, site: AdminSite) -> HttpResponse:
    """GET asks for the reason; POST with one gives the marked file and leaves an entry in the audit trail."""
    user = request.user
    if not (user.is_active and user.is_staff and user.has_perm(opening.PERMISSION)):
        raise Http404
    document = opening.document_of(check_id, document_id)
    if document is None:
        raise Http404
    if request.method not in METHODS:
        return HttpResponseNotAllowed(METHODS)
    reason = request.POST.get("reason", "").replace("\x00", "").strip()[:LONGEST_REASON]
    if request.method != "POST":
        return _page(request, document, site)
    if not reason:
        return _page(request, document, site, error=_("Give a reason: it is kept in the audit trail."), status=400)
    try:
        return _download(opening.open_for(request, document, reason))
    except opening.Closed:
        return _page(request, document, site, status=409)
    except (opening.CannotMark, *CANNOT_READ):
        log.error("paper_cannot_be_read", document=str(document.pk))
        error = _("The file cannot be read: it is missing, was changed, or its key is not set. Tell the operator.")
        return _page(request, document, site, error=error, status=500)


def _page(
    request: HttpRequest, document: IdentityDocument, site: AdminSite, *, error: str = "", status: int = 200
) -> HttpResponse:
    context = {
        **site.each_context(request),
        "title": _("Open an identity paper"),
        "document": document,
        "may_be_opened": opening.may_be_opened(document),
        "longest": LONGEST_REASON,
        "error": error,
    }
    return render(request, "admin/accounts/identitycheck/open.html", context, status=status)


def _download(copy: opening.Copy) -> HttpResponse:
    """Never shown inside a page of ours, never kept: a file that a stranger sent (security.md §5)."""
    response = HttpResponse(copy.content, content_type=copy.content_type)
    response["Content-Disposition"] = content_disposition_header(True, copy.name) or "attachment"
    response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response
