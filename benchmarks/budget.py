"""How often each operation asks the outside systems, by the sandbox's ledger, beside what it may."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.pages import Shop
from sandbox.demo.stack import Ports
from sandbox.embedded.processes import python

Say = Callable[[str], None]


def measure(say: Say) -> None:
    """Starts the outside world, runs every operation once in a process of its own, and says what it asked."""
    with tempfile.TemporaryDirectory(prefix="portal-budget-") as folder:
        shop = Shop(Path(folder), ports=Ports.free(), durable=False, extra_env={"LOG_LEVEL": "ERROR"})
        try:
            shop.start()
            command = [python(), "-m", "benchmarks.budget", "--inside", shop.ready["people_url"]]
            env = {**shop.env, "DJANGO_SETTINGS_MODULE": "portal.settings"}
            done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
            say("\nRemote calls of each operation, and how many it may make")
            say(done.stdout.rstrip())
        finally:
            shop.stop()


def inside(people_url: str, say: Say) -> None:
    """Every operation once, where the settings name the outside world."""
    import django

    django.setup()
    from benchmarks import operations

    for line in operations.lines(people_url):
        say(f"  {line}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.budget", description=__doc__)
    parser.add_argument("--inside", metavar="ADDRESS", default="", help=argparse.SUPPRESS)
    address = parser.parse_args().inside
    if address:
        inside(address, say)
    else:
        measure(say)
    return 0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
