"""The portal's addresses and one more: a view that does nothing, behind the same middleware as every page."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from portal.urls import urlpatterns as of_the_portal


def bare(request: HttpRequest) -> HttpResponse:
    """What a page costs before it has done anything."""
    return HttpResponse("nothing")


urlpatterns = [path("bare/", bare), *of_the_portal]
