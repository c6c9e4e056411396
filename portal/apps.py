from django.apps import AppConfig
from django.conf import settings

from integrations import failpoints


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        """Registers what `manage.py check --deploy` asks of a deployment and watches who signs in.

        Failpoints act in test runs alone.
        """
        from accounts import sign_ins
        from accounts.security import watching
        from portal import checks  # noqa: F401

        sign_ins.watch()
        watching.watch()
        if settings.TESTING:
            failpoints.switch_on(settings.FAILPOINTS)
