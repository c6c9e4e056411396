from django.apps import AppConfig
from django.conf import settings

from integrations import failpoints


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        """Joins the apps: who signs in is watched, the catalogue learns who holds what, staff pages get their labels,
        and `manage.py check --deploy` learns what to ask of a deployment.

        Failpoints act in test runs alone.
        """
        from accounts import sign_ins
        from accounts.security import watching
        from catalog import holders
        from orders.queries import has_ordered
        from portal import checks, staff_labels  # noqa: F401

        holders.ask_also(has_ordered)
        sign_ins.watch()
        watching.watch()
        staff_labels.give()
        if settings.TESTING:
            failpoints.switch_on(settings.FAILPOINTS)
