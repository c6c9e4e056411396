"""Every process of the portal and the outside world, started once for the tests that need them all."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from sandbox.demo.stack import Ports, Stack
from tests.chromium import chromium

ROOT = Path(__file__).resolve().parent.parent.parent
ARTIFACTS = ROOT / ".artifacts"
NO_END = 1_000_000  # of jobs: nobody starts a worker anew here
FAST = {"SWEEP_S": "1", "WATCHED_REFRESH_S": "2", "REFRESH_S": "2", "ACCOUNT_REFRESH_S": "1"}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    state, ports = tmp_path_factory.mktemp("stack"), Ports.free()
    everything = Stack(state, ports=ports, durable=False, extra_env=FAST, jobs_per_worker=NO_END)
    everything.start()
    yield everything
    logs = ARTIFACTS / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    everything.stop()
    shutil.copytree(everything.logs, logs)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """A phone's width, English, Japan's time."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, locale="en-GB", timezone_id="Asia/Tokyo", base_url=stack.site_url
    )
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()
