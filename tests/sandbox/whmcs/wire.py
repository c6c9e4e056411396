"""Calls of the endpoint as they stand on the wire."""

from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp

from tests.sandbox.whmcs.asgi import Reply, send
from tests.sandbox.whmcs.conftest import CREDENTIALS

URL = "https://localhost:8444/includes/api.php"
FORM = "application/x-www-form-urlencoded"
AIKO = {
    "action": "AddClient",
    "firstname": "愛子",
    "lastname": "Tanaka",
    "email": "aiko@example.jp",
    "password2": "x",
    "skipvalidation": "1",
}


def post(app: ASGIApp, fields: dict[str, Any], **headers: str) -> Reply:
    body = urlencode({**CREDENTIALS, **fields}).encode()
    return send(app, "POST", URL, headers={"content-type": FORM, **headers}, chunks=[body])
