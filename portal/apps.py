from django.apps import AppConfig
from django.conf import settings

from integrations import failpoints


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        """Registers what `manage.py check --deploy` asks of a deployment; failpoints act in test runs alone."""
        from portal import checks  # noqa: F401

        if settings.TESTING:
            failpoints.switch_on()
