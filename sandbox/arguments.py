"""The command line of `python -m sandbox`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.config import PORTS, Config

_DESCRIPTION = """\
Salesforce with its Pub/Sub API, WHMCS, an eSIM provider and mail, simulated in one process, with a desk for the
person who plays the support agent. When all ports listen it prints one line, `ready {...}`, with every address,
credential and file name as JSON; the same stands in STATE/ready.json as long as it runs. Ctrl-C or
SIGTERM ends it; started again on the same folder it goes on where it was."""

_EPILOG = """\
examples:
  python -m sandbox                                     on the usual ports, state in .sandbox
  python -m sandbox --state /tmp/s --salesforce-port 0 --pubsub-port 0 --whmcs-port 0 --esim-port 0 \\
      --people-port 0 --smtp-port 0
                                                        beside others, on ports that are free
  python -m sandbox --seed-data none --schema our.json --seed our-records.json
                                                        your own objects and records in an otherwise empty org
  python -m sandbox --reset --yes                       from the first day again
  python -m sandbox --export monday.jsonl               writes the state down and ends
  python -m sandbox --import monday.jsonl               goes on from there

in the state folder:
  ready.json                     what the `ready` line says; only there while it runs
  ca.pem                         the authority that clients must trust
  salesforce-client.key, .pem    key pair of the connected app, for the JWT bearer flow
  *.db, schemas/, clock.json     the state itself

exit status: 0 after a signal or an export, 2 when it could not start; a sentence on stderr says why.
Everything else, with the files' formats and the control API: docs/sandbox.md"""


@dataclass(frozen=True)
class Errand:
    """What one call of the program is to do: `config` is how the sandbox runs, the rest what happens to its state.

    `export` writes the state down and does nothing else; `reset` and `restore` come before the start. `sure` answers
    the question that they would ask.
    """

    config: Config
    reset: bool = False
    restore: Path | None = None
    export: Path | None = None
    sure: bool = False


def parse(argv: Sequence[str]) -> Errand:
    """The errand; a wrong argument ends the process with argparse's sentence and status 2."""
    given = vars(_parser().parse_args(argv))
    errand = {name: given.pop(name) for name in ("reset", "restore", "export", "sure")}
    return Errand(Config(schemas=tuple(given.pop("schemas")), seeds=tuple(given.pop("seeds")), **given), **errand)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_places(parser.add_argument_group("where"))
    _add_contents(parser.add_argument_group("what is in it"))
    _add_errands(parser.add_argument_group("what happens to its state"))
    return parser


def _add_places(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--state", type=Path, default=Config.state, metavar="DIR", help="folder that keeps everything (%(default)s)"
    )
    group.add_argument("--host", default=Config.host, help="address to listen on (%(default)s)")
    for name in PORTS:
        default = getattr(Config, f"{name}_port")
        text = f"{PORTS[name]} (%(default)s; 0: one that is free)"
        group.add_argument(f"--{name}-port", type=_port, default=default, metavar="PORT", help=text)


def _add_contents(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--schema",
        dest="schemas",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="further Salesforce objects, fields, platform events and managed subscriptions (repeatable)",
    )
    group.add_argument(
        "--seed-data",
        choices=("shop", "none"),
        default=Config.seed_data,
        help="what a new state begins with: the shop's products and three customers, or nobody (%(default)s)",
    )
    group.add_argument(
        "--seed",
        dest="seeds",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="records that a new state begins with besides (repeatable); a state that exists is left alone",
    )
    group.add_argument(
        "--keepalive-s",
        type=float,
        default=Config.keepalive_s,
        metavar="SECONDS",
        help="silence after which the Pub/Sub API sends an empty response (%(default)s)",
    )


def _add_errands(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--reset", action="store_true", help="forget the state before starting; asks on a terminal")
    group.add_argument(
        "--import", dest="restore", type=Path, metavar="FILE", help="start with the state that --export wrote down"
    )
    group.add_argument("--export", type=Path, metavar="FILE", help="write the state down (gzipped for .gz), and end")
    group.add_argument("--yes", dest="sure", action="store_true", help="do not ask before a state is forgotten")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"{text} is no port; ports are 0 to 65535")
    return int(text)
