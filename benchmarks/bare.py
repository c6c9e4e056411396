"""The portal's addresses and two more: views that do nothing, behind the same middleware as every page."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import path

from portal.urls import urlpatterns as of_the_portal


def bare(request: HttpRequest) -> HttpResponse:
    """What a page costs before it has done anything."""
    return HttpResponse("nothing")


urlpatterns = [path("bare/", bare), path("bare/signed-in/", login_required(bare)), *of_the_portal]
