"""The page developers see when something fails, on their own machine only (DEBUG is refused elsewhere)."""

import re

from django.views.debug import SafeExceptionReporterFilter


class Masking(SafeExceptionReporterFilter):
    """Django's DEFAULT_EXCEPTION_REPORTER_FILTER: masks addresses too, which carry passwords (REDIS_URL, EMAIL_URL)."""

    hidden_settings = re.compile(f"{SafeExceptionReporterFilter.hidden_settings.pattern}|URL", re.IGNORECASE)
