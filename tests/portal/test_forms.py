"""What the renderer makes of Django's forms."""

from dataclasses import dataclass

import pytest
from django import forms
from django.template import Context, Template

from tests.portal.pages import Tags


@dataclass(frozen=True)
class Plan:
    words: str
    hint: str = ""
    cost: str = ""

    def __str__(self) -> str:
        return self.words


class Address(forms.Form):
    postal = forms.RegexField(
        r"^\d{7}$",
        label="Postal code",
        help_text="Seven digits",
        error_messages={"invalid": "Enter seven digits"},
        widget=forms.TextInput(attrs={"class": "w-s", "autocomplete": "postal-code"}),
    )
    building = forms.CharField(label="Building", required=False)
    kind = forms.ChoiceField(
        label="Kind", choices=[("flat", Plan("Flat", "Mansion", "¥0")), ("", Plan("None"))], widget=forms.RadioSelect
    )
    terms = forms.BooleanField(label="I agree")

    def clean(self) -> None:
        self.add_error(None, "These do not fit together")


@pytest.fixture
def bad() -> Address:
    return Address({"postal": "12<b>", "building": "Grand Maison"})


def test_a_field_points_to_its_hint_and_its_error(bad: Address) -> None:
    page = Tags(str(bad))
    control = page.one("input", name="postal")
    assert control["aria-describedby"] == "id_postal_helptext id_postal_error"
    assert control["aria-invalid"] == "true"
    assert page.one("p", id="id_postal_helptext")["class"] == "hint"
    assert page.one("p", id="id_postal_error")["class"] == "field-error"
    assert page.one("label", for_="id_postal")


def test_typed_values_stay_and_are_escaped(bad: Address) -> None:
    assert Tags(str(bad)).one("input", name="postal")["value"] == "12<b>"
    assert "12<b>" not in str(bad)


def test_the_renderer_sets_the_classes_of_the_sheet(bad: Address) -> None:
    page = Tags(str(bad))
    assert page.one("input", name="postal")["class"] == "input w-s"
    assert page.one("input", name="postal")["autocomplete"] == "postal-code"
    assert "class" not in page.one("input", name="terms")


def test_optional_fields_are_marked_and_required_ones_are_not() -> None:
    assert str(Address()).count("(optional)") == 1


def test_a_field_without_fault_is_not_invalid() -> None:
    assert "aria-invalid" not in str(Address())
    assert "field-error" not in str(Address())


def test_radio_buttons_become_choices_in_a_named_group(bad: Address) -> None:
    page = Tags(str(bad))
    assert page.one("fieldset")["class"] == "group bad"
    flat = page.one("input", id="id_kind_0")
    assert (flat["type"], flat["value"], flat["aria-describedby"]) == ("radio", "flat", "id_kind_0_hint")
    assert page.one("input", id="id_kind_1")["value"] == ""
    assert page.one("label", for_="id_kind_0")


def test_the_summary_links_to_every_field_and_is_announced(bad: Address) -> None:
    source = '{% include "components/_error_summary.html" with form=form only %}'
    markup = Template(source).render(Context({"form": bad}))
    page = Tags(markup)
    assert page.one("div", role="alert")["tabindex"] == "-1"
    assert [link["href"] for link in page.all("a")] == ["#id_postal", "#id_kind_0", "#id_terms"]
    assert "Postal code: Enter seven digits" in markup
    assert "These do not fit together" in markup
    targets = {attrs.get("id") for _, attrs in Tags(str(bad)).found}
    assert {link["href"].removeprefix("#") for link in page.all("a")} <= targets


def test_no_summary_without_errors() -> None:
    source = '{% include "components/_error_summary.html" with form=form only %}'
    assert "role" not in Template(source).render(Context({"form": Address()}))
