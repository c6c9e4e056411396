"""What Salesforce holds, asked directly: for tests that must not believe the portal."""

from typing import Any

import requests
from django.conf import settings

from portal import clients
from tests.sandbox_process import Sandbox


def rows(sandbox: Sandbox, soql: str) -> list[dict[str, Any]]:
    """The first page of a query's records."""
    token = clients.token_source().token()
    url = f"{token.instance_url}/services/data/v{settings.SF_API_VERSION}/query"
    headers = {"Authorization": f"Bearer {token.access_token}"}
    answer = requests.get(url, {"q": soql}, headers=headers, verify=sandbox.urls["ca"], timeout=15)
    assert answer.status_code == requests.codes.ok, answer.text
    return list(answer.json()["records"])
