"""Addresses under /account/."""

from django.urls import path

from accounts.identity import views

urlpatterns = [
    path("identity/", views.identity, name="identity"),
    path("identity/paper/", views.begin, name="identity_begin"),
    path("identity/files/", views.upload, name="identity_upload"),
    path("identity/files/<uuid:document>/remove/", views.remove, name="identity_remove"),
    path("identity/send/", views.send, name="identity_send"),
    path("identity/too-large/", views.too_large, name="identity_too_large"),
    path("identity/by-chip/", views.by_chip, name="identity_by_chip"),
]
