"""The address of a request: whether two are the same one, and how it is written."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language

from accounts.models import Address
from accounts.profile.prefectures import PREFECTURES
from catalog.eligibility.models import EligibilityRequest

FIELDS = ("postal_code", "prefecture", "city", "street", "building", "room", "home")
_TYPED = ("city", "street", "building", "room")
_HYPHENS = re.compile(r"\s*[‐-―−ー-]+\s*|(?<=\d)\s+(?=\d)")  # between numbers a blank parts them as well
_BESIDES = re.compile(r"[\s,、]")


def said_in(request: EligibilityRequest) -> dict[str, Any]:
    """The address as a cleaned CheckForm gives it."""
    return {name: getattr(request, name) for name in FIELDS}


def is_same(request: EligibilityRequest, said: Mapping[str, Any]) -> bool:
    """Whether `said` (a cleaned CheckForm) is the request's address; width, case, blanks and kinds of hyphens aside."""
    return _key(said_in(request)) == _key(said)


def _key(said: Mapping[str, Any]) -> tuple[Any, ...]:
    typed = [unicodedata.normalize("NFKC", str(said[name])).strip().casefold() for name in _TYPED]
    return said["postal_code"], int(said["prefecture"]), *(_BESIDES.sub("", _HYPHENS.sub("-", each)) for each in typed)


def one_line(request: EligibilityRequest | Address) -> str:
    """The address as people write it in the active language."""
    code = f"{request.postal_code[:3]}-{request.postal_code[3:]}"
    prefecture = PREFECTURES[request.prefecture]
    inside = f"{request.building} {request.room}".strip()
    if (get_language() or "").startswith("ja"):
        return f"〒{code} {prefecture.kanji}{request.city}{request.street} {inside}".strip()
    return ", ".join(filter(None, (inside, request.street, request.city, f"{prefecture.romaji} {code}")))


def for_support(request: EligibilityRequest) -> str:
    """The address on lines, as typed, the prefecture in both scripts."""
    prefecture = PREFECTURES[request.prefecture]
    lines = (
        f"〒{request.postal_code[:3]}-{request.postal_code[3:]}",
        f"{prefecture.romaji} {prefecture.kanji}",
        request.city,
        request.street,
        f"{request.building} {request.room}".strip(),
        EligibilityRequest.Home(request.home).name.capitalize(),
    )
    return "\n".join(filter(None, lines))
