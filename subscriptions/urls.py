"""Addresses of what the customer has."""

from django.urls import path

from subscriptions import views

urlpatterns = [path("services/", views.services, name="services")]
