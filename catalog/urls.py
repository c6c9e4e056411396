from django.urls import include, path

from catalog import views

urlpatterns = [
    path("internet/check/", include("catalog.eligibility.urls")),
    path("plans/", views.catalog, name="catalog"),
    path("plans/search/", views.search_plans, name="search_plans"),
    path("plans/<slug:slug>/", views.category, name="category"),
    path("plans/<slug:slug>/<str:sku>/", views.product, name="product"),
]
