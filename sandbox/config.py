"""What one sandbox is told at start: where its state lives, which ports it takes, and what a new state begins with."""

import socket
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

PORTS = {
    "salesforce": "Salesforce: OAuth and REST, over TLS",
    "pubsub": "Salesforce: the Pub/Sub API, gRPC over TLS",
    "whmcs": "WHMCS: the external API, over TLS",
    "esim": "an eSIM provider, over TLS",
    "people": "the desk and other pages, and /control for programs, plain http",
    "smtp": "mail, kept and never sent on",
}

SeedData = Literal["shop", "none"]


@dataclass(frozen=True)
class Config:
    """Settings of one sandbox process. `keepalive_s` is the silence after which Pub/Sub sends an empty response.

    `schemas` are files with further Salesforce objects, fields, platform events and managed subscriptions. A new state
    begins with the `seed_data` and the records of the files `seeds`.
    """

    state: Path = Path(".sandbox")
    salesforce_port: int = 8443
    pubsub_port: int = 7443
    whmcs_port: int = 8444
    esim_port: int = 8445
    people_port: int = 8480
    smtp_port: int = 8025
    host: str = "127.0.0.1"
    keepalive_s: float = 60.0
    schemas: tuple[Path, ...] = ()
    seed_data: SeedData = "shop"
    seeds: tuple[Path, ...] = ()

    @property
    def ports(self) -> dict[str, int]:
        """Every port by the name of its option."""
        return {name: getattr(self, f"{name}_port") for name in PORTS}

    @property
    def salesforce_url(self) -> str:
        """Origin of the Salesforce org, as it stands in `instance_url` of a token answer."""
        return f"https://localhost:{self.salesforce_port}"

    @property
    def pubsub_endpoint(self) -> str:
        """Host and port of the Pub/Sub API."""
        return f"localhost:{self.pubsub_port}"

    @property
    def whmcs_url(self) -> str:
        """Origin of the WHMCS installation."""
        return f"https://localhost:{self.whmcs_port}"

    @property
    def esim_url(self) -> str:
        """Origin of the eSIM provider."""
        return f"https://localhost:{self.esim_port}"

    @property
    def people_url(self) -> str:
        """Origin of the pages for human eyes."""
        return f"http://localhost:{self.people_port}"

    def with_free_ports(self) -> "Config":
        """The same with a port that was free a moment ago in place of each 0."""
        wanted = [f"{name}_port" for name, port in self.ports.items() if port == 0]
        with ExitStack() as held:
            listeners = [held.enter_context(socket.socket()) for _ in wanted]
            for listener in listeners:
                listener.bind((self.host, 0))
            chosen = {name: listener.getsockname()[1] for name, listener in zip(wanted, listeners, strict=True)}
        return replace(self, **chosen)
