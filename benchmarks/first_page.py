"""The first page on a slow phone: Chromium with a quarter of the processor and fast 3G, nothing in its cache."""

import gzip
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page, Response, ViewportSize, sync_playwright

from benchmarks.compressing import in_front_of

Say = Callable[[str], None]
ROUNDS = 5
SLOWER = 4
# Chromium's own "Fast 3G": bytes a second, and the round trip in ms.
FAST_3G = {"offline": False, "latency": 562.5, "downloadThroughput": 180_000, "uploadThroughput": 84_375}
PHONE = ViewportSize(width=390, height=844)
LARGEST_S, MOST_KB = 1.8, 150
WATCH = """
window.seen = {largest: 0, shift: 0};
new PerformanceObserver(list => list.getEntries().forEach(each => { seen.largest = each.startTime; }))
  .observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(list => list.getEntries().forEach(each => { seen.shift += each.value; }))
  .observe({type: "layout-shift", buffered: true});
"""


@dataclass
class Seen:
    """What one page came to, one entry a round."""

    largest_s: list[float] = field(default_factory=list)
    shifts: list[float] = field(default_factory=list)
    kilobytes: list[float] = field(default_factory=list)
    scripts: int = 0


def measure(site_url: str, order: str, cookies: Mapping[str, str], say: Say) -> None:
    """Opens the start page as a visitor and an order's page with its customer's cookies; says what it saw."""
    pages: tuple[tuple[str, str, Mapping[str, str]], ...] = (("home", "/", {}), ("order status", order, cookies))
    say(f"\nFirst page on a slow phone, {ROUNDS} times each: {SLOWER}× slower processor, fast 3G, empty cache")
    with in_front_of(site_url) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name, path, known in pages:
            seen = Seen()
            for _ in range(ROUNDS):
                _open(browser, urljoin(address, path), known, seen)
            say(_line(name, seen))
        browser.close()


def _open(browser: Browser, address: str, cookies: Mapping[str, str], seen: Seen) -> None:
    context = browser.new_context(viewport=PHONE, locale="en-GB", is_mobile=True, device_scale_factor=2)
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
    page, bodies = context.new_page(), list[Response]()
    page.on("response", lambda answer: bodies.append(answer))
    page.add_init_script(WATCH)
    _slow_down(page)
    page.goto(address, wait_until="load")
    page.wait_for_timeout(1000)  # what comes after the load may shift the page, too
    found = page.evaluate("({...seen, scripts: document.scripts.length})")
    seen.largest_s.append(found["largest"] / 1000)
    seen.shifts.append(found["shift"])
    seen.scripts = found["scripts"]
    seen.kilobytes.append(sum(len(gzip.compress(each.body())) for each in bodies if each.status == 200) / 1000)
    context.close()


def _slow_down(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", FAST_3G)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


def _line(name: str, seen: Seen) -> str:
    largest, size = statistics.median(seen.largest_s), statistics.median(seen.kilobytes)
    spread = f"{min(seen.largest_s):.2f} to {max(seen.largest_s):.2f}"
    return (
        f"  {name:14} largest paint {largest:5.2f} s ({spread}), target {LARGEST_S} s; "
        f"{size:4.0f} kB compressed of {MOST_KB}; shift {max(seen.shifts):.3f}, target 0; scripts {seen.scripts} of 1"
    )
