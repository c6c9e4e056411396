"""Clients of each simulated system that look closely at what is on the wire."""

import json
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import requests

from tests.sandbox_process import Sandbox

BASE = "/services/data/v66.0"
WITHIN_S = 15


def session(sandbox: Sandbox) -> requests.Session:
    """A session that trusts the sandbox and follows no redirect by itself."""
    made = requests.Session()
    made.verify, made.trust_env = sandbox.urls["ca"], False
    return made


@dataclass
class Whmcs:
    """Calls the API with the sandbox's credential."""

    sandbox: Sandbox
    session: requests.Session

    def fields(self, action: str, **fields: Any) -> dict[str, Any]:
        urls = self.sandbox.urls
        credential = {"identifier": urls["whmcs_identifier"], "secret": urls["whmcs_secret"]}
        return {**credential, "responsetype": "json", "action": action, **fields}

    def __call__(
        self, action: str, *, correlation: str = "", timeout: float = WITHIN_S, **fields: Any
    ) -> requests.Response:
        return self.session.post(
            f"{self.sandbox.urls['whmcs_url']}/includes/api.php",
            data=self.fields(action, **fields),
            headers={"X-Correlation-ID": correlation},
            timeout=timeout,
            allow_redirects=False,
        )

    def ok(self, action: str, **fields: Any) -> dict[str, Any]:
        """The answer of a call that must succeed."""
        answer: dict[str, Any] = self(action, **fields).json()
        assert answer["result"] == "success", answer
        return answer

    def client(self, email: str) -> int:
        """A new client's id."""
        person = {"firstname": "Aiko", "lastname": "Sato", "email": email, "country": "JP", "password2": "a-random-one"}
        return int(self.ok("AddClient", skipvalidation=1, noemail=1, **person)["clientid"])


@dataclass
class Salesforce:
    """Calls the REST API as the integration user."""

    sandbox: Sandbox
    session: requests.Session
    token: str = ""

    def assertion(self) -> dict[str, str]:
        urls = self.sandbox.urls
        claims = {
            "iss": urls["salesforce_client_id"],
            "sub": urls["salesforce_username"],
            "aud": "https://login.salesforce.com",
            "exp": int(time.time()) + 120,
        }
        signed = jwt.encode(claims, Path(urls["salesforce_key"]).read_text(), algorithm="RS256")
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed}

    def sign_in(self) -> requests.Response:
        answer = self.session.post(
            f"{self.sandbox.urls['salesforce_url']}/services/oauth2/token", data=self.assertion(), timeout=WITHIN_S
        )
        if answer.status_code == 200:
            self.token = answer.json()["access_token"]
        return answer

    def __call__(
        self, method: str, path: str, body: Any = None, *, correlation: str = "", timeout: float = WITHIN_S
    ) -> requests.Response:
        return self.session.request(
            method,
            f"{self.sandbox.urls['salesforce_url']}{BASE}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.token}", "X-Correlation-ID": correlation},
            timeout=timeout,
            allow_redirects=False,
        )

    def create(self, kind: str, **fields: Any) -> str:
        answer = self("POST", f"sobjects/{kind}", fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def composite(self, *parts: tuple[str, str, str, Any], all_or_none: bool = True) -> list[dict[str, Any]]:
        """The answers to parts, each of reference id, method, path and body."""
        rows = [
            {"referenceId": name, "method": method, "url": f"{BASE}/{path}", **({"body": body} if body else {})}
            for name, method, path, body in parts
        ]
        answer = self("POST", "composite", {"allOrNone": all_or_none, "compositeRequest": rows})
        assert answer.status_code == 200, answer.text
        answers: list[dict[str, Any]] = answer.json()["compositeResponse"]
        return answers


class Wire:
    """One TLS connection to WHMCS in which TCP can be told from TLS: what the kernel says is what a caller sees."""

    def __init__(self, whmcs: Whmcs) -> None:
        self._whmcs = whmcs
        address = urlsplit(whmcs.sandbox.urls["whmcs_url"])
        self.tcp = socket.create_connection((address.hostname, address.port), timeout=WITHIN_S)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cafile=whmcs.sandbox.urls["ca"])
        self._tls = context.wrap_bio(self._in, self._out, server_hostname="localhost")

    def shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._exchange()
            else:
                self.tcp.sendall(self._out.read())
                return

    def ask(self, action: str) -> None:
        """Sends a whole request."""
        form = urlencode(self._whmcs.fields(action))
        head = f"POST /includes/api.php HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(form)}\r\n"
        self._tls.write(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}".encode())
        self.tcp.sendall(self._out.read())

    def pieces(self) -> Iterator[bytes]:
        """What arrives, one TLS record after the other, until a polite end. Raises ConnectionResetError."""
        while received := self.tcp.recv(65536):
            self._in.write(received)
            yield from self._records()

    def _exchange(self) -> None:
        self.tcp.sendall(self._out.read())
        self._in.write(self.tcp.recv(65536))

    def _records(self) -> Iterator[bytes]:
        try:
            while record := self._tls.read(65536):
                yield record
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            return


@contextmanager
def wire(whmcs: Whmcs) -> Iterator[Wire]:
    made = Wire(whmcs)
    try:
        yield made
    finally:
        made.tcp.close()


def send_mail(sandbox: Sandbox, subject: str, timeout: float = WITHIN_S) -> None:
    """One message to Aiko. Raises what smtplib raises."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "portal@example.jp", "aiko@example.jp", subject
    message["X-Correlation-ID"] = f"mail-{subject}"
    message.set_content("Hello")
    host, port = sandbox.urls["smtp"].split(":")
    with smtplib.SMTP(host, int(port), timeout=timeout) as server:
        server.send_message(message)


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
