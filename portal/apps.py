from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        """Registers what `manage.py check --deploy` asks of a deployment."""
        from portal import checks  # noqa: F401
