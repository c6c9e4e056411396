"""Salesforce itself, asked and changed directly: for tests that must not believe the portal."""

from collections.abc import Mapping
from typing import Any

import requests
from django.conf import settings

from portal import clients
from tests.sandbox_process import Sandbox


def rows(sandbox: Sandbox, soql: str) -> list[dict[str, Any]]:
    """The first page of a query's records."""
    return list(_call(sandbox, "GET", "query", params={"q": soql}).json()["records"])


def save(sandbox: Sandbox, kind: str, fields: Mapping[str, Any], record_id: str = "") -> str:
    """A person or a program saves a record: a new one, or `record_id`; returns its id."""
    answer = _call(sandbox, "PATCH" if record_id else "POST", f"sobjects/{kind}/{record_id}".rstrip("/"), json=fields)
    return record_id or str(answer.json()["id"])


def _call(sandbox: Sandbox, method: str, path: str, **request: Any) -> requests.Response:
    token = clients.token_source().token()
    answer = requests.request(
        method,
        f"{token.instance_url}/services/data/v{settings.SF_API_VERSION}/{path}",
        headers={"Authorization": f"Bearer {token.access_token}"},
        verify=sandbox.urls["ca"],
        timeout=15,
        **request,
    )
    assert answer.ok, answer.text
    return answer
