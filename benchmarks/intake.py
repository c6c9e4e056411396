"""How fast events of Salesforce become rows that workers find, near and far, and what the subscriber takes for it."""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import psycopg

from benchmarks.distance import away
from benchmarks.publishing import publish
from benchmarks.sandbox.memory import rss_mb
from sandbox.demo.stack import Ports, Stack
from sandbox.embedded.processes import stop

EVENTS, MANY = 20_000, 100_000
ROUNDS = 3
FAR_S = 0.08
CREDIT = 100  # events that may be under way at most: the API's limit, whatever the distance
PATIENCE_S = 600
Say = Callable[[str], None]

CONNECTED = "SELECT EXISTS (SELECT 1 FROM provisioning_eventcursor WHERE connected)"
STORED = "SELECT count(*) FROM provisioning_inboxevent"
# Each transaction leaves its number in the rows that it stored.
RUN = """
    SELECT extract(epoch FROM max(received_at) - min(received_at)), count(DISTINCT xmin::text)
    FROM provisioning_inboxevent
"""


class Bench(Stack):
    """The outside world and a database; of the portal nothing but the subscriber, when it is asked for."""

    def _start_portal(self) -> None:
        self.published = 0
        self.db = psycopg.connect(self.env["DATABASE_URL"], autocommit=True)

    def put(self, count: int) -> None:
        """So many events more wait on the bus."""
        publish(self.ready, self.published, count)
        self.published += count

    @contextmanager
    def subscriber(self) -> Iterator[int]:
        """The process id of a subscriber that is connected; it ends with the block."""
        self.db.execute("UPDATE provisioning_eventcursor SET connected = false")
        self.start_subscriber()
        process = self.processes["subscriber"]
        try:
            self.wait(lambda: bool(self.one(CONNECTED)), 0.01)
            yield process.pid
        finally:
            stop(self.processes.pop("subscriber"))

    def one(self, sql: str) -> float:
        row = self.db.execute(sql).fetchone()
        return float(row[0] or 0) if row else 0.0

    def stored(self, count: int) -> None:
        """Waits until so many events are stored since `forget`."""
        self.wait(lambda: self.one(STORED) >= count, 0.2)

    def forget(self) -> None:
        """Empties the inbox; the position in the stream stays."""
        self.db.execute("TRUNCATE provisioning_inboxevent, provisioning_attempt CASCADE")

    def wait(self, look: Callable[[], bool], pause_s: float) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not look():
            self.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"nothing more came within {PATIENCE_S} s; see {self.logs}")
            time.sleep(pause_s)


def measure(events: int, many: int, say: Say) -> None:
    """Starts what is needed, measures, and says what came of it."""
    with tempfile.TemporaryDirectory(prefix="portal-intake-") as folder:
        bench = Bench(Path(folder), ports=Ports.free(), extra_env={"LOG_LEVEL": "INFO"})
        try:
            bench.start()
            say(f"\nFrom the stream into the database, {events} events, each a new order; PostgreSQL with fsync")
            report_start(bench, say)
            near = report_speed(bench, events, 0, say)
            far = report_speed(bench, events // 4, FAR_S, say)
            say(f"    {far / near:.0%} of the near rate; target 80 %; {CREDIT / FAR_S:.0f}/s is what the credit allows")
            report_memory(bench, events, many, say)
        finally:
            bench.stop()


def report_start(bench: Bench, say: Say) -> None:
    """From the start of the process to the accepted subscription."""
    times, worked, sizes = [], [], []
    for _ in range(ROUNDS):
        began = time.monotonic()
        with bench.subscriber() as process:
            times.append(time.monotonic() - began)
            worked.append(cpu_s(process))
            sizes.append(rss_mb(process))
    median = statistics.median
    say(f"  start to connected  median {median(times):5.2f} s, {median(worked):.2f} s of it at work; target 1.0 s")
    say(f"  memory at start     median {median(sizes):5.0f} MB; target 80 MB")


def cpu_s(process: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def report_speed(bench: Bench, events: int, distance_s: float, say: Say) -> float:
    """Events per second, median of some rounds, of a subscriber that far from Salesforce."""
    rates, responses, worked = [], [], []
    endpoint = bench.ready["pubsub_endpoint"]
    host, _, port = endpoint.rpartition(":")
    for _ in range(ROUNDS):
        bench.forget()
        bench.put(events)
        with away(host, int(port), distance_s) if distance_s else nullcontext(int(port)) as here:
            bench.env["SF_PUBSUB_ENDPOINT"] = f"localhost:{here}"
            with bench.subscriber() as process:
                before = cpu_s(process)
                bench.stored(events)
                worked.append((cpu_s(process) - before) / events * 1e6)
        bench.env["SF_PUBSUB_ENDPOINT"] = endpoint
        seconds, transactions = bench.db.execute(RUN).fetchone() or (0, 0)
        rates.append(events / float(seconds))
        responses.append(events / transactions)
    where = f"{distance_s * 1000:.0f} ms away" if distance_s else "near"
    median, spread = statistics.median(rates), f"{min(rates):.0f} to {max(rates):.0f}"
    cost = f"{statistics.median(worked):.0f} µs of its processor an event, {statistics.median(responses):.0f} a commit"
    say(f"  {where:18}  median {median:5.0f} events/s ({spread}), {cost}")
    return median


def report_memory(bench: Bench, events: int, many: int, say: Say) -> None:
    """One process from its first event to its last."""
    sizes = []
    bench.forget()
    with bench.subscriber() as process:
        sizes.append(rss_mb(process))
        for count in (events, many):
            bench.put(count - int(bench.one(STORED)))
            bench.stored(count)
            sizes.append(rss_mb(process))
    text = ", ".join(f"{size:.1f}" for size in sizes)
    say(f"  memory              {text} MB at start, after {events}, after {many} events; target +2 MB at the end")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.intake", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help="events of one round (%(default)s)")
    parser.add_argument("--many", type=int, default=MANY, help="events after which memory is read again (%(default)s)")
    arguments = parser.parse_args()
    measure(arguments.events, arguments.many, say)
    return 0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
