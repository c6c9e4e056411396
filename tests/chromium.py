"""Debian's Chromium, where it is."""

import os
import shutil

import pytest


def chromium() -> str:
    """Its path. Missing it is a skip for people and a failure for CI."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("Chromium is missing: install it (Debian: apt-get install chromium).")
    return found
