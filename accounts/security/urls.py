"""Signing in, and the list of devices; both before allauth's own addresses."""

from django.urls import path

from accounts.security import views

urlpatterns = [
    path("login/", views.SignIn.as_view(), name="account_login"),
    path("sessions/", views.signed_in_devices, name="devices"),
    path("sessions/others/end/", views.end_other_sessions, name="end_other_sessions"),
    path("sessions/<int:session_id>/end/", views.end_session, name="end_session"),
]
