"""What a plan's attributes say, in words. Unknown attributes and values are left out, never shown raw."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

NO_BREAK = "\u00a0"


@dataclass(frozen=True)
class Fact:
    """One thing plans are compared by: the heading, and this plan's value (empty when it says nothing about it)."""

    key: str
    label: str
    value: str


def facts(attributes: Mapping[str, Any], keys: tuple[str, ...]) -> list[Fact]:
    """One Fact per key, in that order and in the active language."""
    return [Fact(key, labels()[key], READERS[key](attributes)) for key in keys]


def labels() -> dict[str, str]:
    """The headings of the comparison, in the active language."""
    return {
        "speed": _("Top speed"),
        "building": _("For"),
        "data": _("Data"),
        "voice": _("Number"),
        "region": _("Country"),
        "devices": _("Devices"),
    }


def _speed(attributes: Mapping[str, Any]) -> str:
    speed = attributes.get("speed_mbps")
    if not isinstance(speed, int):
        return ""
    number, unit = (speed // 1000, "Gbps") if speed % 1000 == 0 else (speed, "Mbps")
    return f"{number}{NO_BREAK}{unit}"


def _building(attributes: Mapping[str, Any]) -> str:
    names = {"apartment": _("Flats and apartments"), "house": _("Houses")}
    return names.get(str(attributes.get("building")), "")


def _data(attributes: Mapping[str, Any]) -> str:
    data, days = attributes.get("data_gb"), attributes.get("days")
    if not isinstance(data, int):
        return ""
    if isinstance(days, int):
        return _("%(data)s GB for %(days)s days") % {"data": data, "days": days}
    return _("%(data)s GB a month") % {"data": data}


def _voice(attributes: Mapping[str, Any]) -> str:
    if "voice" not in attributes:
        return ""
    return _("080 or 090 number, or bring yours") if attributes["voice"] else _("Data only, no number")


def _region(attributes: Mapping[str, Any]) -> str:
    names = {"US": _("United States"), "UK": _("United Kingdom"), "JP": _("Japan")}
    return names.get(str(attributes.get("region")), "")


def _devices(attributes: Mapping[str, Any]) -> str:
    devices = attributes.get("devices")
    if not isinstance(devices, int):
        return ""
    return ngettext("%(count)s device", "Up to %(count)s devices", devices) % {"count": devices}


READERS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "speed": _speed,
    "building": _building,
    "data": _data,
    "voice": _voice,
    "region": _region,
    "devices": _devices,
}
