"""What the style guide shows: a form that came back with mistakes, and example values for every component."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from portal import charts
from portal.templatetags.ui import JST, price_text, yen_text


@dataclass(frozen=True)
class Choice:
    """A label with a hint and a cost, as forms of the apps give them."""

    words: str
    hint: str = ""
    cost: str = ""

    def __str__(self) -> str:
        return self.words


class ExampleForm(forms.Form):
    name = forms.CharField(label=lazy("Name"), help_text=lazy("As on your residence card"))
    postal = forms.RegexField(
        r"^\d{3}-?\d{4}$",
        label=lazy("Postal code"),
        help_text=lazy("Seven digits, for example 108-0023"),
        error_messages={"invalid": lazy("Enter seven digits, for example 108-0023")},
        widget=forms.TextInput(attrs={"class": "w-s", "inputmode": "numeric"}),
    )
    prefecture = forms.ChoiceField(
        label=lazy("Prefecture"),
        required=False,
        choices=[("", "—"), ("13", "Tokyo 東京都"), ("27", "Osaka 大阪府")],
        widget=forms.Select(attrs={"class": "w-m"}),
    )
    number = forms.CharField(
        label=lazy("Customer number"), required=False, widget=forms.TextInput(attrs={"class": "w-s", "readonly": True})
    )
    message = forms.CharField(label=lazy("Message"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    front = forms.FileField(label=lazy("Front side"), required=False, help_text=lazy("JPEG, PNG or PDF, up to 10 MB"))
    terms = forms.BooleanField(label=lazy("I have read the terms"))


def _form() -> ExampleForm:
    form = ExampleForm({"name": "Maria Santos", "postal": "108-002", "number": "104 882"}, auto_id="sg_%s")
    form.fields["router"] = forms.ChoiceField(
        label=_("Radio cards"),
        choices=[
            ("rent", Choice(_("Rent a router"), _("Covers about 70 m²"), f"+ {price_text(550, 'Monthly')}")),
            ("own", Choice(_("Use my own"), cost=yen_text(0))),
        ],
        widget=forms.RadioSelect(attrs={"across": True}),
    )
    return form


def _at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=JST)


def _stops() -> list[dict[str, Any]]:
    return [
        {"state": "done", "name": _("Order placed"), "at": _at(19, 14, 5), "text": _("Passed, with its time")},
        {
            "state": "now",
            "name": _("Happening now"),
            "at": _at(20, 10, 12),
            "text": _("Where the order is"),
            "step": 2,
            "steps": 4,
        },
        {"state": "late", "name": _("Taking longer"), "at": _at(20, 10, 19), "text": _("Amber and a diamond")},
        {"state": "failed", "name": _("Stopped"), "at": _at(20, 16, 40), "text": _("Red and a square")},
        {"state": "next", "name": _("Still to come"), "when": _("usually minutes"), "text": _("Grey and hollow")},
    ]


def _tasks() -> list[dict[str, str]]:
    return [
        {
            "state": "todo",
            "name": _("Payment method"),
            "text": _("Needed before we start."),
            "url": "#tasks",
            "action": _("Add a payment method"),
        },
        {"state": "wait", "name": _("Identity documents"), "text": _("We are checking them.")},
        {"state": "done", "name": _("Your address"), "text": "〒108-0023"},
    ]


def _charts() -> dict[str, charts.Chart]:
    hours = [f"{hour}:00" for hour in range(10, 18)]
    attempts, failed = [12, 15, 18, 14, 16, 21, 24, 22], [0, 1, 0, 0, 0, 1, 2, 1]
    own_time = [180, 199, 214, 220, 216, 204, 186, 166]
    return {
        "columns": charts.columns(
            title=_("Attempts by hour, failed at the bottom"),
            sentence=_("Attempts by hour: between 12 and 24 an hour, 5 failed in all"),
            head=(_("Hour"), _("Attempts"), _("Failed")),
            names=hours,
            all_=attempts,
            bad=failed,
        ),
        "trace": charts.trace(
            title=_("Own time per order, p95 in ms, limit 250"),
            sentence=_("Own time per order: p95 between 166 and 220 milliseconds, limit 250"),
            head=(_("Hour"), "p95, ms"),
            names=hours,
            values=own_time,
            limit=250,
        ),
    }


def examples(request: HttpRequest) -> dict[str, Any]:
    """The context of `portal/styleguide.html`."""
    return {
        "example": _form(),
        "stops": _stops(),
        "tasks": _tasks(),
        "steps": [
            {"state": "done", "name": _("Cart")},
            {"state": "now", "name": _("What we need")},
            {"state": "next", "name": _("Review")},
            {"state": "next", "name": _("Placed")},
        ],
        "monthly": [
            {"name": "Home Apartment 1G", "amount": 4180},
            {"name": _("Router rental"), "amount": 550, "note": _("Wi-Fi 6")},
        ],
        "once": [{"name": _("Activation"), "amount": 3300, "note": _("Always part of this plan")}],
        "facts": [(_("Number"), "080-••••-0147"), (_("Customer number"), "104 882")],
        "page": Paginator(range(95), 20).get_page(request.GET.get("page", 2)),
        "moment": _at(20, 14, 5),
        "charts": _charts(),
        "colours": ["accent", "ink", "ink-soft", "edge", "rule", "surface", "ground", "sunken", "ok", "warn", "danger"],
    }
