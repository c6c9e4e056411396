"""Pages that belong to no app: home, appearance, legal pages, the style guide and what is said when something fails."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import get_template
from django.utils.translation import gettext as _
from django.views import i18n
from django.views.decorators.http import require_POST, require_safe

from accounts import drafts
from accounts.access import asked_next
from accounts.middleware import page_of_form
from accounts.profile import languages
from accounts.profile.saving import save_mails
from catalog.caching import visitors_may_keep
from catalog.queries import families
from integrations.correlation import current
from portal import checks
from portal.context import THEME_COOKIE, THEMES
from portal.styleguide import examples


@require_safe
@visitors_may_keep
def home(request: HttpRequest) -> HttpResponse:
    """What we do, the three families with their prices, how an order goes."""
    return render(request, "portal/home.html", {"families": families()})


@require_safe
def legal(request: HttpRequest, page: str) -> HttpResponse:
    """Privacy, the page the Specified Commercial Transactions Act asks for, and how to reach us."""
    return render(request, f"portal/{page}.html", {"keep_days": settings.IDENTITY_KEEP_DAYS})


@require_safe
def terms(request: HttpRequest, version: str = "") -> HttpResponse:
    """The terms in force, or an earlier version of them: each one that was ever agreed to stays readable."""
    in_force = settings.TERMS_VERSION
    if version not in {"", *checks.terms_versions()}:
        raise Http404
    context = {"terms_version": version or in_force, "in_force": in_force}
    return render(request, f"portal/terms/{version or in_force}.html", context)


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in every state; exists in development and in the demo only."""
    if not (settings.DEBUG or settings.DEMO):
        raise Http404
    return render(request, "portal/styleguide.html", examples(request))


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Django's own view; a customer's e-mails come in the chosen language from then on, WHMCS' too."""
    response = i18n.set_language(request)
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        languages.choose(response, chosen)
        if request.user.is_authenticated:
            save_mails(request.user, language=chosen)
    return response


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Keeps the choice of light or dark in a cookie; anything else forgets it, and the device decides."""
    response = HttpResponseRedirect(asked_next(request) or "/")
    if (theme := request.POST.get("theme", "")) in THEMES:
        response.set_cookie(
            THEME_COOKIE,
            theme,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )
    else:
        response.delete_cookie(THEME_COOKIE, samesite="Lax")
    return response


def _failure(status: int, template: str) -> HttpResponse:
    """An error page without request, session or database: it must stand when they do not."""
    context = {"status": status, "brand": settings.BRAND_NAME, "reference": current()}
    return HttpResponse(get_template(f"{template}.html").render(context), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _failure(400, "400")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _failure(403, "403")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _failure(404, "404")


def too_many(request: HttpRequest) -> HttpResponse:
    """allauth's handler429: a limit per address or per person is used up."""
    return _failure(429, "429")


def server_error(request: HttpRequest) -> HttpResponse:
    return _failure(500, "500")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: mostly a form that lay open too long, or a browser without cookies.

    Whoever signed in again in another window has their form, where it takes part in drafts, given back to send anew.
    """
    if request.user.is_authenticated and drafts.owner_of(request) == request.user.pk:
        drafts.keep(request)
        messages.warning(request, _("You have signed in again since this page was opened, so nothing was sent."))
        return HttpResponseRedirect(page_of_form(request))
    return _failure(403, "403_csrf")
