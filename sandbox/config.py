"""What one sandbox is told at start: where its state lives and which ports it takes."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """Settings of one sandbox process. `keepalive_s` is the silence after which Pub/Sub sends an empty response.

    `schemas` are files with further Salesforce objects, fields, platform events and managed subscriptions.
    """

    state: Path
    salesforce_port: int = 8443
    pubsub_port: int = 7443
    whmcs_port: int = 8444
    esim_port: int = 8445
    people_port: int = 8480
    smtp_port: int = 8025
    host: str = "127.0.0.1"
    keepalive_s: float = 60.0
    schemas: tuple[Path, ...] = ()

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


PORTS = ("salesforce", "pubsub", "whmcs", "esim", "people", "smtp")


def parse_args(argv: Sequence[str]) -> Config:
    """Turn command-line arguments into a Config; a wrong argument ends the process with argparse's sentence."""
    description = "Salesforce, WHMCS, an eSIM provider and mail, simulated."
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=description)
    parser.add_argument("--state", type=Path, required=True, help="directory that keeps everything between starts")
    parser.add_argument("--host", default=Config.host, help="address to listen on (default %(default)s)")
    parser.add_argument("--keepalive-s", type=float, default=Config.keepalive_s, help="Pub/Sub keepalive in seconds")
    schema_help = "further Salesforce objects, fields, platform events and managed subscriptions (repeatable)"
    parser.add_argument("--schema", type=Path, action="append", default=[], metavar="FILE", help=schema_help)
    for name in PORTS:
        default = getattr(Config, f"{name}_port")
        parser.add_argument(f"--{name}-port", type=int, default=default, help="(default %(default)s)")
    given = vars(parser.parse_args(argv))
    return Config(schemas=tuple(given.pop("schema")), **given)
