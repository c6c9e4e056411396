"""Which versions of the API there are, and what each of them offers (salesforce-wire.md, section 3)."""

import re

from sandbox.salesforce.errors import ApiError, not_found

OFFERED = range(31, 69)
_FIRST = 7
_RETIRED = re.compile(r"v(\d{1,2})\.0(?:/|$)", re.ASCII)
# Version 31 was of Summer '14; since then there are three a year, the winter's named after the year to come.
_SEASONS = ("Summer", "Winter", "Spring")
_RESOURCES = {
    "tooling": 31,
    "queryAll": 31,
    "recent": 31,
    "limits": 31,
    "query": 31,
    "sobjects": 31,
    "composite": 34,
    "event": 43,
}


def every() -> list[dict[str, str]]:
    """GET /services/data/"""
    return [{"label": _label(each), "url": f"/services/data/v{each}.0", "version": f"{each}.0"} for each in OFFERED]


def resources(version: float) -> list[str]:
    """The names of what a version offers below its root."""
    return [name for name, since in _RESOURCES.items() if version >= since]


def absent(path: str) -> ApiError:
    """Why nothing of the API is at this path below its root: the version is no more, or never was."""
    retired = _RETIRED.match(path)
    if retired is None or not _FIRST <= int(retired[1]) < OFFERED.start:
        return not_found()
    message = (
        f"The API version that was specified ({retired[1]}.0) is below the minimum supported ({OFFERED.start}.0). "
        "Change the version number and run the request again."
    )
    return ApiError("UNSUPPORTED_API_VERSION", message)


def _label(number: int) -> str:
    years, season = divmod(number - OFFERED.start, len(_SEASONS))
    return f"{_SEASONS[season]} '{14 + years + (season > 0)}"
