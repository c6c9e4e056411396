"""What pages cost the web process: processor time over a view that does nothing."""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.demo.stack import Ports, Stack
from sandbox.embedded.processes import python

ROUNDS, REQUESTS = 7, 40
PLAN = "/plans/internet/INT-APT-1G/"
ORDER = "<order>"  # stands for the address of the customer's order
JSON = (("accept", "application/json"),)
FETCH = (("x-requested-with", "fetch"),)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Page:
    """One page and what it may cost, as a multiple of the bare view (0: nothing is asked of it)."""

    name: str
    path: str
    target: float = 0
    unchanged: bool = False  # asked for with the tag of its newest answer
    signed_in: bool = False
    fresh: bool = False  # nobody was shown this page before: it is built
    headers: tuple[tuple[str, str], ...] = ()
    costs: list[float] = field(default_factory=list)  # seconds a request, one for each round


BARE = Page("a view that does nothing", "/bare/")
PAGES = (
    Page("home", "/", 8),
    Page("three families", "/plans/", 8),
    Page("family, side by side", "/plans/internet/", 8),
    Page("product", PLAN, 8),
    Page("product, chosen", f"{PLAN}?option-router=wifi6", 8),
    Page("search", "/plans/search/?q=sim", 8),
    Page("family, unchanged: 304", "/plans/internet/", 5, unchanged=True),
    Page("product, unchanged: 304", PLAN, 5, unchanged=True),
    Page("home, first time", "/", fresh=True),
    Page("product, first time", PLAN, fresh=True),
    Page("nothing, signed in", "/bare/signed-in/", signed_in=True),
    Page("overview", "/overview/", 12, signed_in=True),
    Page("orders", "/orders/", 12, signed_in=True),
    Page("order", ORDER, 12, signed_in=True),
    Page("order as JSON", ORDER, 12, signed_in=True, headers=JSON),
    Page("status fragment", f"{ORDER}status/", 6, signed_in=True, headers=FETCH),
    Page("status, unchanged: 304", f"{ORDER}status/", 5, signed_in=True, unchanged=True, headers=FETCH),
    Page("cart", "/cart/", 12, signed_in=True),
    Page("checkout", "/checkout/", 12, signed_in=True),
    Page("account", "/account/", 12, signed_in=True),
    Page("product, signed in", PLAN, 12, signed_in=True),
)


class Shop(Stack):
    """The outside world and a mirrored catalogue; no process of the portal."""

    def _start_portal(self) -> None:
        return


def measure(say: Say) -> None:
    """Starts what is needed, measures in a process of its own, and says what came of it."""
    with tempfile.TemporaryDirectory(prefix="portal-pages-") as folder:
        shop = Shop(Path(folder), ports=Ports.free(), durable=False, extra_env={"LOG_LEVEL": "WARNING"})
        try:
            shop.start()
            command = [python(), "-m", "benchmarks.pages", "--inside"]
            env = {**shop.env, "DJANGO_SETTINGS_MODULE": "portal.settings"}
            done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
            say(f"\nPages, processor time of {ROUNDS} rounds of {REQUESTS} requests, interleaved")
            say(done.stdout.rstrip())
        finally:
            shop.stop()


def inside(say: Say) -> None:
    """The measurement itself, where the settings name a database with a catalogue."""
    import django

    django.setup()
    from django.conf import settings

    from benchmarks.signed_in import prepare

    settings.ROOT_URLCONF = "benchmarks.bare"
    settings.ALLOWED_HOSTS += ["testserver"]  # the browser of tests signs in there
    somebody = prepare()
    requests = {page.name: _request_of(page, somebody.cookie, somebody.order) for page in (BARE, *PAGES)}
    for _ in range(ROUNDS):
        for page in (BARE, *PAGES):
            page.costs.append(_cost(requests[page.name]))
    say(f"  {BARE.name:26} {statistics.median(BARE.costs) * 1000:6.2f} ms")
    for page in PAGES:
        say(_line(page, BARE))


def _line(page: Page, bare: Page) -> str:
    ratios = [cost / least for cost, least in zip(page.costs, bare.costs, strict=True)]
    median, spread = statistics.median(ratios), f"{min(ratios):.1f} to {max(ratios):.1f}"
    target = f", target {page.target:.0f}×{'' if median <= page.target else ', missed'}" if page.target else ""
    return f"  {page.name:26} {statistics.median(page.costs) * 1000:6.2f} ms  {median:5.1f}× ({spread}){target}"


def _request_of(page: Page, session: str = "", order: str = "") -> Callable[[], int]:
    """Asks for the page once, as a browser that was here before; gives the status."""
    from django.conf import settings
    from django.core.handlers.base import BaseHandler
    from django.test import RequestFactory

    from catalog import kept_pages

    handler = BaseHandler()
    handler.load_middleware()
    factory, path = RequestFactory(), page.path.replace(ORDER, order)

    def ask(headers: Mapping[str, str]) -> tuple[int, str]:
        if page.fresh:
            kept_pages.forget()
        request = factory.get(path, headers={"host": "localhost", **headers})
        response = handler.get_response(request)
        cookie = response.cookies.get(settings.CSRF_COOKIE_NAME)
        if cookie:
            kept["cookie"] = "; ".join(filter(None, (kept.get("cookie"), f"{cookie.key}={cookie.value}")))
        return response.status_code, response.get("ETag", "")

    kept = dict(page.headers) | ({"cookie": session} if page.signed_in else {})
    ask(kept)
    _status, tag = ask(kept)
    if page.unchanged:
        kept["if-none-match"] = tag
    expected = 304 if page.unchanged else 200
    if (status := ask(kept)[0]) != expected:
        raise RuntimeError(f"{path} answered {status}, not {expected}")
    return lambda: ask(kept)[0]


def _cost(ask: Callable[[], int]) -> float:
    began = time.process_time()
    for _ in range(REQUESTS):
        ask()
    return (time.process_time() - began) / REQUESTS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    run = inside if parser.parse_args().inside else measure
    run(say)
    return 0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
