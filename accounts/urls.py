"""Addresses under /account/; allauth adds its own beside them."""

from django.urls import include, path

from accounts import views

urlpatterns = [
    path("", include("accounts.profile.urls")),
    path("", include("accounts.identity.urls")),
    path("", include("accounts.security.urls")),
    path("setup/", views.account_setup, name="account_setup"),
    path("setup/status/", views.account_setup_status, name="account_setup_status"),
    path("setup/number/", views.account_number, name="account_number"),
    path("setup/new/", views.account_as_new, name="account_as_new"),
    path("payment/", views.payment_methods, name="payment_methods"),
    path("payment/open/", views.payment_sso, name="payment_sso"),
]
