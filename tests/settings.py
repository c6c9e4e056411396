"""For tools that only need the settings to load (mypy): portal.settings with throw-away values."""

from tests.environment import fill

fill()

from portal.settings import *  # noqa: E402, F403
