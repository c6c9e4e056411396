"""`make bench-sandbox`: memory over many orders, and what single calls take in a sandbox that holds them."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.sandbox import calls, deliveries, memory
from sandbox.config import PORTS, Config
from sandbox.embedded.processes import python, spawn, stop
from sandbox.world import World

ORDERS = 100_000
TARGET_MS = 5
TARGET_RATE = 15_000
ROUNDS = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-sandbox", description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS, help="how many orders to make (%(default)s)")
    orders = parser.parse_args().orders
    with tempfile.TemporaryDirectory(prefix="sandbox-bench-") as folder:
        report_memory(Path(folder), orders)
        with running(Path(folder)) as (process, ready):
            before = memory.rss_mb(process)
            report_calls(ready, orders)
            report_deliveries(ready)
            say(f"\nMemory of the process: {before:.0f} MB after its start, {memory.rss_mb(process):.0f} MB now")
    return 0


def report_memory(folder: Path, orders: int) -> None:
    """Make the orders, and say on the way what that took."""
    say(f"{orders} orders, each in Salesforce and in WHMCS")
    say(f"{'orders':>8} {'records':>9} {'RSS MB':>7} {'CPU ms each':>12} {'files MB':>9}")
    with closing(World(Config(state=folder))) as world:
        readings = []
        for each in memory.fill(world, orders):
            readings.append(each)
            say(f"{each.orders:8} {each.records:9} {each.rss_mb:7.0f} {each.ms:12.2f} {each.files_mb:9.0f}")
    first, last = readings[1] if len(readings) > 1 else readings[0], readings[-1]
    say(f"Memory grew by {last.rss_mb - first.rss_mb:.0f} MB from {first.orders} to {last.orders} orders")


def report_calls(ready: dict[str, Any], orders: int) -> None:
    """One line for each kind of call."""
    say(f"\nOne call after the other over loopback and TLS, with {orders} orders in place; target {TARGET_MS} ms")
    for name, times in calls.measure(ready):
        p95 = statistics.quantiles(times, n=20)[-1]
        say(f"  {name:34} median {statistics.median(times):6.2f} ms   p95 {p95:6.2f} ms")


def report_deliveries(ready: dict[str, Any]) -> None:
    """The Pub/Sub API, which is never to be what a benchmark of something else waits for."""
    rates = [deliveries.measure(ready) for _ in range(ROUNDS)]
    say(f"\n{deliveries.EVENTS} stored events to one subscriber; target {TARGET_RATE} events/s")
    say(f"  median {statistics.median(rates):8.0f} events/s   slowest {min(rates):8.0f} events/s")


@contextmanager
def running(folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """A sandbox of its own on this folder: its process id and its `ready` line."""
    ports = [part for name in PORTS for part in (f"--{name}-port", "0")]
    command = [python(), "-m", "sandbox", "--state", str(folder), *ports]
    process = spawn(command, log=folder / "sandbox.log", stdout=subprocess.PIPE)
    try:
        line = process.stdout.readline() if process.stdout else ""
        yield process.pid, json.loads(line.removeprefix("ready "))
    finally:
        stop(process)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
