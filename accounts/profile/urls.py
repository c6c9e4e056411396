"""Addresses under /account/."""

from django.urls import path

from accounts.profile import views

urlpatterns = [
    path("address/", views.address, name="address"),
    path("address/place/", views.place, name="address_place"),
    path("mails/", views.mails, name="mail_preferences"),
]
