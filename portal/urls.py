"""Every address of the portal. Names are flat: `{% url "order" number %}`."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from portal import health, views
from portal.account_page import account
from portal.dashboard import dashboard
from portal.staff.provisioning_now import provisioning_now

admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("catalog.urls")),
    path("", include("orders.urls")),
    path("", include("subscriptions.urls")),
    path("account/", account, name="account"),
    path("account/", include("portal.personal_data.urls")),
    path("account/", include("accounts.urls")),
    path("account/", include("allauth.urls")),
    path("overview/", dashboard, name="dashboard"),
    path("language/", views.set_language, name="set_language"),
    path("theme/", views.set_theme, name="theme"),
    path("terms/", views.terms, name="terms"),
    path("terms/<str:version>/", views.terms, name="terms_of"),
    path("privacy/", views.legal, {"page": "privacy"}, name="privacy"),
    path("tokushoho/", views.legal, {"page": "tokushoho"}, name="tokushoho"),
    path("contact/", views.legal, {"page": "contact"}, name="contact"),
    path("styleguide/", views.styleguide, name="styleguide"),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
    path("health/deps", health.deps, name="health_deps"),
    path("health/sf-events", health.sf_events, name="health_sf_events"),
    path("metrics", health.metrics, name="metrics"),
    path("admin/provisioning/now/", admin.site.admin_view(provisioning_now), name="provisioning_now"),
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),  # one way for all
    path("admin/", admin.site.urls),
]

handler400 = "portal.views.bad_request"
handler403 = "portal.views.forbidden"
handler404 = "portal.views.not_found"
handler429 = "portal.views.too_many"  # allauth asks for it
handler500 = "portal.views.server_error"
