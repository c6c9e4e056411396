"""The one way to write money, times, icons and codes in a template; a builtin, so no page loads it (design.md §6, §8).

Tags make markup, filters of the same name make plain text for e-mails, attributes and `{% blocktranslate %}`.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import segno
from django import template
from django.forms import BoundField, CheckboxInput, FileInput
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext

from accounts import drafts, names
from accounts.models import User

register = template.Library()

JST = ZoneInfo("Asia/Tokyo")
NO_BREAK = "\u00a0"
MINUS = "\u2212"
WEEKDAYS = {"en": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], "ja": list("月火水木金土日")}
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
STYLES = {
    "en": {
        "full": "{wd} {d} {mon} {y}, {time}",
        "short": "{wd} {d} {mon}, {time}",
        "stop": "{wd} {d} {mon}| {time}",
        "date": "{wd} {d} {mon} {y}",
        "day": "{d} {mon} {y}",
        "weekday": "{wd} {d} {mon}",
        "month": "{month} {y}",
        "time": "{time}",
        "clock": "{time}:{s}",
    },
    "ja": {
        "full": "{y}年{m}月{d}日({wd}) {time}",
        "short": "{m}月{d}日({wd}) {time}",
        "stop": "{m}月{d}日({wd})| {time}",
        "date": "{y}年{m}月{d}日({wd})",
        "day": "{y}年{m}月{d}日",
        "weekday": "{m}月{d}日({wd})",
        "month": "{y}年{m}月",
        "time": "{time}",
        "clock": "{time}:{s}",
    },
}


def language() -> str:
    return "ja" if (get_language() or "en").startswith("ja") else "en"


# --- money


@register.filter(name="yen")
def yen_text(amount: int | Decimal) -> str:
    """Whole yen as text: `¥4,730`, in Japanese `4,730円`. Raises ValueError for a fraction of a yen."""
    whole = int(amount)
    if whole != amount:
        raise ValueError(f"{amount} is not whole yen")
    sign, digits = (MINUS if whole < 0 else ""), f"{abs(whole):,}"
    return f"{sign}{digits}円" if language() == "ja" else f"{sign}¥{digits}"


@register.simple_tag
def yen(amount: int | Decimal) -> str:
    """`{% yen 4730 %}`: the same text as the filter, as a tag that refuses a missing amount."""
    return yen_text(amount)


def _per(cycle: str) -> str:
    """The words of a billing cycle (Product.BillingCycle). Raises KeyError for another one."""
    return {
        "Monthly": pgettext("price", "per month"),
        "Annually": pgettext("price", "per year"),
        "One-time": pgettext("price", "once"),
    }[cycle]


@register.simple_tag
def price_text(amount: int | Decimal, cycle: str) -> str:
    """A price inside a sentence or an e-mail: `¥550 per month`, `月額 550円`."""
    parts = (_per(cycle), yen_text(amount))
    return " ".join(parts if language() == "ja" else reversed(parts))


@register.inclusion_tag("components/_price.html")
def price(
    amount: int | Decimal, cycle: str, *, size: str = "", starting: bool = False, once: int | None = None
) -> dict[str, Any]:
    """A price on its own. `size`: "", "medium" or "small"; `starting`: "from"; `once`: the one-time sum beside it."""
    total, per, tax = ("amount", yen_text(amount)), ("per", _per(cycle)), ("tax", pgettext("price", "incl. tax"))
    least = [("per", pgettext("price", "from"))] if starting else []
    parts = [per, total, *least, tax] if language() == "ja" else [*least, total, per, tax]
    return {"parts": parts, "size": size, "once": yen_text(once) if once else ""}


# --- times


def _fields(at: date, words: str) -> dict[str, Any]:
    return {
        "y": at.year,
        "m": at.month,
        "d": at.day,
        "wd": WEEKDAYS[words][at.weekday()],
        "mon": MONTHS[at.month - 1][:3],
        "month": MONTHS[at.month - 1],
        "time": f"{at:%H:%M}" if isinstance(at, datetime) else "",
        "s": f"{at:%S}" if isinstance(at, datetime) else "",
    }


def _in_japan(at: date) -> date:
    """A moment on Japan's clock; a plain date stays as it is. Raises ValueError for a naive moment."""
    if not isinstance(at, datetime):
        return at
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be shown")
    return at.astimezone(JST)


@register.filter(name="jst")
def jst_text(at: date | None, style: str = "full") -> str:
    """A moment or date as text on Japan's clock; `style` is a key of STYLES. None gives an empty text."""
    if at is None:
        return ""
    words = language()
    return STYLES[words][style].format(**_fields(_in_japan(at), words)).replace("|", "," if words == "en" else "")


@register.simple_tag
def jst(at: date | None, style: str = "full") -> str | SafeString:
    """The same as a `<time>`; style "stop" breaks the line between day and hour. None gives an empty text."""
    if at is None:
        return ""
    local, words = _in_japan(at), language()
    machine = local.isoformat(timespec="seconds") if isinstance(local, datetime) else local.isoformat()
    lines = STYLES[words][style].format(**_fields(local, words)).split("|")
    if len(lines) == 1:
        return format_html('<time datetime="{}">{}</time>', machine, lines[0])
    return format_html('<time datetime="{}">{}<br>{}</time>', machine, *lines)


# --- numbers, icons, codes


@register.filter
def grouped(number: str | int) -> str:
    """A customer number in groups of three from the right, `104 882`; anything but digits stays as it is."""
    text = str(number)
    return f"{int(text):,}".replace(",", NO_BREAK) if text.isdigit() and not text.startswith("0") else text


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """A symbol of the sprite beside words; `size` is "" or "small". Hidden from screen readers."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" {size}" if size else "",
        static("icons.svg"),
        name,
    )


@register.inclusion_tag("components/_qr.html")
def qr(text: str, label: str, caption: str = "") -> dict[str, Any]:
    """`text` as a QR code drawn in SVG; `label` says what it is for to those who cannot see it."""
    matrix = segno.make(text, micro=False, error="m").matrix
    border = 4
    path = "".join(
        f"M{column + border} {row + border}h1v1h-1z"
        for row, modules in enumerate(matrix)
        for column, dark in enumerate(modules)
        if dark
    )
    return {"path": path, "side": len(matrix) + 2 * border, "label": label, "caption": caption}


# --- forms


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """The control of a form field with the sheet's class; the widget's class may add a width (`w-s`, `w-m`, `w-l`)."""
    widget = field.field.widget
    own = widget.attrs.get("class", "")
    plain = isinstance(widget, CheckboxInput | FileInput)
    classes = own if plain else f"input {own}".strip()
    return field.as_widget(attrs={"class": classes} if classes else {})


@register.simple_tag(takes_context=True)
def draft_field(context: template.Context) -> SafeString:
    """In a form of a signed-in user: what is typed is given back if the session has ended when it is sent."""
    if not context["user"].is_authenticated:
        return SafeString("")
    value = drafts.field_value(context["user"])
    return format_html('<input type="hidden" name="{}" value="{}">', drafts.FIELD, value)


@register.filter
def anchor(field: BoundField) -> str:
    """The id that the error summary links to: the control, or the first choice of a group."""
    return str(field.id_for_label or f"{field.auto_id}_0")


@register.filter
def full_name(user: User) -> str:
    """A person's name in the order of the page's language."""
    return names.full_name(user)


@register.filter
def addressee(user: User) -> str:
    """How a person is greeted in the page's language."""
    return names.addressee(user)
