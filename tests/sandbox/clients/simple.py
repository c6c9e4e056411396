"""Ways in which simple-salesforce, unmodified, comes to a session of the sandbox."""

import time
from pathlib import Path
from typing import Any

import jwt
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

from tests.sandbox_process import Sandbox

MY_DOMAIN = "sonix.my"
_LOGIN_HOSTS = tuple(f"https://{name}.salesforce.com" for name in ("login", "test", MY_DOMAIN))


class _ToSandbox(HTTPAdapter):
    """Sends what is meant for salesforce.com to the sandbox, as a hosts file would."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        for host in _LOGIN_HOSTS:
            request.url = (request.url or "").replace(host, self._origin)
        return super().send(request, *args, **kwargs)


def trusting(sandbox: Sandbox) -> requests.Session:
    """A session that knows the sandbox's certificate authority and where salesforce.com is here."""
    session = requests.Session()
    session.verify = sandbox.urls["ca"]
    session.trust_env = False
    for host in _LOGIN_HOSTS:
        session.mount(host, _ToSandbox(sandbox.urls["salesforce_url"]))
    return session


def with_key(sandbox: Sandbox, **more: Any) -> Salesforce:
    """Its own JWT bearer flow."""
    urls = sandbox.urls
    login = {
        "username": urls["salesforce_username"],
        "consumer_key": urls["salesforce_client_id"],
        "privatekey_file": urls["salesforce_key"],
    }
    return Salesforce(**{**login, "session": trusting(sandbox), **more})


def with_password(sandbox: Sandbox, **more: Any) -> Salesforce:
    """A username and password, and what must come with them: by SOAP with a security token or an organization's id,
    by OAuth with a consumer key and secret."""
    login = {"username": sandbox.urls["salesforce_username"], "password": sandbox.urls["salesforce_password"]}
    return Salesforce(**{**login, "session": trusting(sandbox), **more})


def with_session(sandbox: Sandbox, **more: Any) -> Salesforce:
    """Direct mode with a token of our own, as the portal does it."""
    urls, session = sandbox.urls, trusting(sandbox)
    claims = {
        "iss": urls["salesforce_client_id"],
        "sub": urls["salesforce_username"],
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 180,
    }
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": jwt.encode(claims, Path(urls["salesforce_key"]).read_bytes(), "RS256"),
    }
    granted = session.post(f"{urls['salesforce_url']}/services/oauth2/token", data=form, timeout=10).json()
    direct = {"session_id": granted["access_token"], "instance_url": granted["instance_url"], "session": session}
    return Salesforce(**{**direct, "version": "66.0", **more})
