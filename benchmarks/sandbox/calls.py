"""How long single calls take over one kept-alive TLS connection, in a sandbox that holds many orders already."""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection, HTTPSConnection
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt

CALLS = 300
BASE = "/services/data/v66.0"
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"

PERSON = {
    "firstname": "Aiko",
    "lastname": "Tanaka",
    "country": "JP",
    "password2": "a-random-one",
    "skipvalidation": "1",
    "noemail": "1",
}
LINE = {"paymentmethod": "stripe", "pid[0]": "301", "billingcycle[0]": "monthly"}

Call = Callable[[], object]


class Wire:
    """One connection to one origin that stays open."""

    def __init__(self, origin: str, ca: str) -> None:
        parts = urlsplit(origin)
        host, port = str(parts.hostname), int(parts.port or 0)
        context = ssl.create_default_context(cafile=ca)
        secure = parts.scheme == "https"
        self._connection = HTTPSConnection(host, port, context=context) if secure else HTTPConnection(host, port)
        self.headers: dict[str, str] = {}

    def __call__(self, method: str, path: str, body: Any = None, *, form: Mapping[str, Any] | None = None) -> Any:
        """The answer's JSON; an answer that is no success ends the measurement."""
        kind = "application/json" if form is None else "application/x-www-form-urlencoded"
        sent = urlencode(form) if form is not None else None if body is None else json.dumps(body)
        self._connection.request(method, path, sent, {"Content-Type": kind, **self.headers})
        with self._connection.getresponse() as answer:
            text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text) if text else None


def measure(ready: Mapping[str, Any]) -> Iterator[tuple[str, list[float]]]:
    """Name and milliseconds of every call that was tried, one after the other."""
    for system in (_salesforce, _whmcs):
        for name, call in system(ready).items():
            call()
            yield name, [_timed(call) for _ in range(CALLS)]


def _timed(call: Call) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def token(wire: Wire, ready: Mapping[str, Any]) -> str:
    """An access token of the integration user."""
    claims = {
        "iss": ready["salesforce_client_id"],
        "sub": ready["salesforce_username"],
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 180,
    }
    assertion = jwt.encode(claims, Path(str(ready["salesforce_key"])).read_bytes(), "RS256")
    form = {"grant_type": BEARER, "assertion": assertion}
    return str(wire("POST", "/services/oauth2/token", form=form)["access_token"])


def _salesforce(ready: Mapping[str, Any]) -> dict[str, Call]:
    wire, number = Wire(str(ready["salesforce_url"]), str(ready["ca"])), count()
    wire.headers = {"Authorization": f"Bearer {token(wire, ready)}"}
    first = wire("GET", f"{BASE}/query?q={quote('SELECT Id FROM Order LIMIT 1')}")["records"][0]["Id"]
    made = wire("POST", f"{BASE}/sobjects/Account", {"Name": "Aiko"})["id"]
    one = f"SELECT Id, Status, Account.Name, (SELECT Id, Quantity FROM OrderItems) FROM Order WHERE Id = '{first}'"
    by_reference = "SELECT Id FROM Order WHERE Portal_Ref__c = 'bench-77'"
    recent = "SELECT Id FROM Order WHERE SystemModstamp > 2199-01-01T00:00:00Z"

    return {
        "Salesforce  create": lambda: wire("POST", f"{BASE}/sobjects/Account", {"Name": f"Aiko {next(number)}"}),
        "Salesforce  get": lambda: wire("GET", f"{BASE}/sobjects/Order/{first}"),
        "Salesforce  query by id": lambda: wire("GET", f"{BASE}/query?q={quote(one)}"),
        "Salesforce  query by external id": lambda: wire("GET", f"{BASE}/query?q={quote(by_reference)}"),
        "Salesforce  query by date": lambda: wire("GET", f"{BASE}/query?q={quote(recent)}"),
        "Salesforce  patch": lambda: wire("PATCH", f"{BASE}/sobjects/Account/{made}", {"Phone": str(next(number))}),
    }


def _whmcs(ready: Mapping[str, Any]) -> dict[str, Call]:
    wire = Wire(str(ready["whmcs_url"]), str(ready["ca"]))
    login = {"identifier": ready["whmcs_identifier"], "secret": ready["whmcs_secret"], "responsetype": "json"}

    def call(action: str, **fields: Any) -> Any:
        answer = wire("POST", "/includes/api.php", form={**login, "action": action, **fields})
        if answer["result"] != "success":
            raise RuntimeError(f"{action}: {answer}")
        return answer

    def add_client() -> int:
        email = f"{time.time_ns()}@example.jp"
        return int(call("AddClient", **PERSON, email=email)["clientid"])

    client = add_client()
    order = call("AddOrder", clientid=client, **LINE)["orderid"]
    return {
        "WHMCS       AddClient": add_client,
        "WHMCS       AddClient + AddOrder": lambda: call("AddOrder", clientid=add_client(), **LINE),
        "WHMCS       GetClientsProducts": lambda: call("GetClientsProducts", clientid=client),
        "WHMCS       GetOrders by id": lambda: call("GetOrders", id=order),
        "WHMCS       GetOrders": lambda: call("GetOrders"),
        "WHMCS       GetClients": lambda: call("GetClients"),
        "WHMCS       GetInvoices": lambda: call("GetInvoices", userid=client),
    }
