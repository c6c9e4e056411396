"""`manage.py subscribe_sf_events`: receives the provisioning events of Salesforce until it is told to stop."""

import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from integrations import gateway
from integrations.errors import Misconfigured
from integrations.salesforce.pubsub import Start
from provisioning.sdnotify import Supervisor
from provisioning.subscriber import Subscriber

EX_CONFIG = 78  # systemd does not start it again with this status (deploy/)


class Command(BaseCommand):
    help = "Receives Salesforce's provisioning events; several may run, one of them leads. Stops on SIGTERM."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        supervisor = Supervisor()
        if not settings.SF_EVENTS_ENABLED:
            supervisor.ready("switched off")
            self.stdout.write("Salesforce events are switched off (SF_EVENTS_ENABLED is false): nothing to do.")
            return
        subscriber = Subscriber(
            topic=settings.SF_PROVISION_EVENT_CHANNEL,
            stream=gateway.event_stream(),
            first=Start.EARLIEST if settings.SF_EVENTS_REPLAY == "ALL" else Start.LATEST,
            leader_wait_s=settings.LEADER_WAIT_S,
            supervisor=supervisor,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: subscriber.stop())
        try:
            subscriber.run()
        except Misconfigured as error:
            self.stderr.write(error.text or str(error))
            sys.exit(EX_CONFIG)
