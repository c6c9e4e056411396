"""Where flows get the outside systems from; which client it is, settings decide (portal/clients.py builds them)."""

from functools import lru_cache
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from integrations.esim.provider import ESimProvider
    from integrations.salesforce.client import SalesforceClient
    from integrations.salesforce.pubsub import EventStream
    from integrations.whmcs.client import WhmcsClient


@lru_cache
def salesforce() -> "SalesforceClient":
    """One client per process; safe to share between threads."""
    return cast("SalesforceClient", import_string(settings.INTEGRATION_FACTORIES["salesforce"])())


@lru_cache
def event_stream() -> "EventStream":
    """The Pub/Sub API over one channel; for the one thread that subscribes."""
    return cast("EventStream", import_string(settings.INTEGRATION_FACTORIES["event_stream"])())


@lru_cache
def whmcs() -> "WhmcsClient":
    """One client per process; safe to share between threads."""
    return cast("WhmcsClient", import_string(settings.INTEGRATION_FACTORIES["whmcs"])())


@lru_cache
def esim() -> "ESimProvider":
    """One client per process; safe to share between threads. Raises Misconfigured `not_configured` without one."""
    return cast("ESimProvider", import_string(settings.INTEGRATION_FACTORIES["esim"])())


def forget() -> None:
    """Drops the clients, so that the next use builds them anew from settings (tests, forked processes)."""
    salesforce.cache_clear()
    event_stream.cache_clear()
    whmcs.cache_clear()
    esim.cache_clear()
