from django.urls import include, path

from catalog import views

urlpatterns = [
    path("internet/check/", include("catalog.eligibility.urls")),
    path("plans/", views.catalog, name="catalog"),
    path("plans/<slug:slug>/", views.category, name="category"),
    path("plans/<slug:slug>/<str:sku>/", views.product, name="product"),
]
