"""Addresses under /account/."""

from django.urls import path

from portal.personal_data import views

urlpatterns = [
    path("data/", views.your_data, name="your_data"),
    path("data/download/", views.download, name="data_download"),
    path("close/", views.close_account, name="close_account"),
    path("close/take-back/", views.keep_account, name="keep_account"),
]
