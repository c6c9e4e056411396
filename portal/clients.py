"""The clients of the outside systems, made from settings; integrations.gateway keeps one of each per process.

Each is imported where it is made: most processes need one or two of them, and the subscriber is to stay small.
"""

import hashlib
from functools import partial
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection

from integrations.errors import Misconfigured
from integrations.http import Caller
from integrations.salesforce.auth import Login, TokenSource
from portal.recorder import LogAndMetrics
from portal.tokens import DatabaseTokenStore

if TYPE_CHECKING:
    from integrations.esim.provider import ESimProvider
    from integrations.salesforce.client import SalesforceClient
    from integrations.salesforce.pubsub import EventStream
    from integrations.whmcs.client import WhmcsClient

WHMCS_BYTES = 4 * 1024 * 1024  # a large catalogue; its descriptions are HTML
SALESFORCE_BYTES = 16 * 1024 * 1024  # a page of 2,000 records with long texts


def outside_of_transactions() -> None:
    """Refuses to let a database transaction wait for another company's server."""
    if connection.in_atomic_block:
        raise RuntimeError("remote call inside a transaction")


_caller = partial(Caller, recorder=LogAndMetrics(), guard=outside_of_transactions)


def token_source() -> TokenSource:
    """Where every process gets the Salesforce token from; light to import, for the subscriber's sake."""
    login = Login(
        token_url=settings.SF_TOKEN_URL,
        audience=settings.SF_AUDIENCE,
        client_id=settings.SF_CLIENT_ID,
        username=settings.SF_USERNAME,
        private_key=settings.SF_PRIVATE_KEY,
        instance_hosts=settings.SF_INSTANCE_HOSTS,
    )
    caller = _caller(system="salesforce", ca_bundle=settings.SF_CA_BUNDLE)
    return TokenSource(login=login, store=DatabaseTokenStore(made_for=_all_of(login)), caller=caller)


def _all_of(login: Login) -> str:
    """Everything a sign-in depends on: with any of it changed, a stored token proves nothing about the settings."""
    key = hashlib.sha256(login.private_key.encode()).hexdigest()
    return " ".join((login.token_url, login.audience, login.client_id, login.username, key))


def salesforce() -> "SalesforceClient":
    """The client of the org in SF_LOGIN_URL."""
    from integrations.salesforce.client import SalesforceClient  # simple-salesforce costs 30 MB

    return SalesforceClient(
        tokens=token_source(),
        caller=_caller(system="salesforce", ca_bundle=settings.SF_CA_BUNDLE, max_bytes=SALESFORCE_BYTES),
        api_version=settings.SF_API_VERSION,
        pricebook_name=settings.PORTAL_PRICEBOOK_NAME,
        commodity_field=settings.SF_FIELD_OPP_COMMODITY_TYPE,
        deadline_s=settings.READ_DEADLINE_S,
    )


def event_stream() -> "EventStream":
    """The Pub/Sub API at SF_PUBSUB_ENDPOINT."""
    from integrations.salesforce.pubsub import EventStream  # gRPC is for the subscriber alone

    return EventStream(
        endpoint=settings.SF_PUBSUB_ENDPOINT,
        tokens=token_source(),
        recorder=LogAndMetrics(),
        guard=outside_of_transactions,
        ca_bundle=settings.SF_CA_BUNDLE,
        silence_s=settings.STREAM_SILENCE_S,
        ping_s=settings.STREAM_PING_S,
    )


def whmcs() -> "WhmcsClient":
    """The client of the installation at WHMCS_API_URL."""
    from integrations.whmcs.client import Deadlines, WhmcsClient

    return WhmcsClient(
        caller=_caller(system="whmcs", ca_bundle=settings.WHMCS_CA_BUNDLE, max_bytes=WHMCS_BYTES),
        url=settings.WHMCS_API_URL,
        identifier=settings.WHMCS_API_IDENTIFIER,
        secret=settings.WHMCS_API_SECRET,
        payment_method=settings.WHMCS_PAYMENT_METHOD,
        currency_id=settings.WHMCS_CURRENCY_ID,
        customer_number_field=settings.WHMCS_CUSTOMER_NUMBER_FIELD_ID,
        sso_origins=settings.WHMCS_SSO_ORIGINS,
        deadlines=Deadlines(
            read=settings.READ_DEADLINE_S,
            add=settings.ADD_ORDER_DEADLINE_S,
            module=settings.ACCEPT_ORDER_DEADLINE_S,
        ),
        time_zone=settings.WHMCS_TIME_ZONE,
    )


def esim() -> "ESimProvider":
    """The eSIM provider at ESIM_API_URL. Raises Misconfigured `not_configured` when that is not set."""
    if not settings.ESIM_API_URL:
        raise Misconfigured("esim", "settings", "not_configured", "ESIM_API_URL is not set.")
    from integrations.esim.client import HttpProvider

    return HttpProvider(
        caller=_caller(system="esim", ca_bundle=settings.ESIM_CA_BUNDLE),
        url=settings.ESIM_API_URL,
        key=settings.ESIM_API_KEY,
        read_deadline_s=settings.READ_DEADLINE_S,
        deadline_s=settings.ESIM_DEADLINE_S,
    )
