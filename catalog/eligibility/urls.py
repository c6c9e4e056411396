"""Addresses under /internet/check/."""

from django.urls import path

from catalog.eligibility import views

urlpatterns = [
    path("", views.eligibility, name="eligibility"),
    path("<uuid:ref>/", views.eligibility_request, name="eligibility_request"),
]
