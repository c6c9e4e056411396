"""Options: what JSON is accepted, what may be chosen, what it costs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from catalog.options import (
    BrokenOptions,
    Option,
    OptionRefused,
    applying,
    choose,
    defaults,
    json_schema,
    parse,
    price_of,
    snapshot,
    whmcs_options,
    words_of,
)
from sandbox import catalogue

DOCS = Path(__file__).parents[2] / "docs"


def shop_options(group: str) -> tuple[Option, ...]:
    return parse([option.raw for option in catalogue.load().config_groups[group]])


def quantity(**changes: Any) -> dict[str, Any]:
    return {**catalogue.load().config_groups["vpn"][0].raw, **changes}


def text(**changes: Any) -> dict[str, Any]:
    label = {"en": "Note", "ja": "備考"}
    return {"key": "note", "type": "text", "label": label, "hint": label, **changes}


def voicemail(**changes: Any) -> dict[str, Any]:
    choice = {"value": "yes", "whmcs_choice_id": 231, "label": {"en": "Voicemail", "ja": "留守番電話"}, "price": 330}
    label = {"en": "Voicemail", "ja": "留守番電話"}
    return {"key": "voicemail", "type": "yes_no", "whmcs_option_id": 23, "label": label, "choices": [choice], **changes}


GREETING = text(key="greeting", required=True, when={"option": "voicemail", "values": ["yes"]}, price=110)
NAME = text(key="name", when={"option": "voicemail", "values": ["yes"]}, pattern="[A-Za-z]{2,4}")


def test_every_group_of_the_shop_is_sound() -> None:
    for group in catalogue.load().config_groups:
        assert shop_options(group)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ({}, "valid array"),
        ("router", "valid array"),
        ([1], "0:"),
        ([quantity(whmcs_option_id="31")], "whmcs_option_id"),
        ([quantity(whmcs_option_id=0)], "whmcs_option_id"),
        ([quantity(whmcs_option_id=None)], "whmcs_option_id is missing"),
        ([quantity(surprise=1)], "surprise"),
        ([quantity(type="slider")], "type"),
        ([quantity(choices=[])], "do not fit"),
        ([quantity(minimum=5, maximum=1)], "minimum is above maximum"),
        ([quantity(label={"en": "Devices"})], "label.ja"),
        ([quantity(key="Extra Devices")], "key"),
        ([quantity(), quantity()], "same key"),
        ([quantity(key=f"k{n}") for n in range(31)], "at most 30"),
        ([quantity(pattern="a")], "belong to the type text"),
        ([quantity(price=5)], "belong to the type text"),
        ([text(pattern="[0-9]+", hint=None)], "needs a hint"),
        ([text(pattern="[0-9")], "not a regular expression"),
        ([text(pattern="a)|(b")], "not a regular expression"),
        ([text(pattern="(?=a)")], "not a regular expression"),
        ([text(pattern="a" * 201)], "pattern"),
        ([text(when={"option": "note", "values": ["yes"]})], "no option note is listed before it"),
        ([text(), voicemail(when={"option": "note", "values": ["yes"]})], "neither a choice nor a yes_no"),
        ([voicemail(), text(when={"option": "voicemail", "values": ["no"]})], "never has the value no"),
        ([text(when={"option": "voicemail", "values": ["yes"]}), voicemail()], "no option voicemail is listed before"),
        ([voicemail(), text(when={"option": "voicemail", "values": []})], "when.values"),
        ([quantity(choices=quantity()["choices"] * 2, type="choice")], "same value"),
    ],
)
def test_broken_json_is_named(raw: Any, reason: str) -> None:
    with pytest.raises(BrokenOptions, match=reason):
        parse(raw)


@pytest.mark.parametrize("price", [-1, 1.5, "550", None, True])
def test_a_choice_costs_whole_yen(price: Any) -> None:
    choice = {**quantity()["choices"][0], "price": price}
    with pytest.raises(BrokenOptions, match="price"):
        parse([quantity(choices=[choice])])


@pytest.mark.parametrize(
    ("group", "wanted", "price", "sent"),
    [
        ("home_internet", {"router": "wifi6"}, 550, {11: 113}),
        ("home_internet", {"router": "none"}, 0, {11: 111}),
        ("voice_sim", {"sim_type": "esim", "voicemail": "yes"}, 330, {22: 221, 23: 1}),
        ("voice_sim", {"sim_type": "esim"}, 0, {22: 221}),
        ("voice_sim", {"sim_type": "esim", "voicemail": "no"}, 0, {22: 221}),
        ("vpn", {"extra_devices": "3"}, 330, {31: 3}),
        ("vpn", {"extra_devices": 5}, 550, {31: 5}),
        ("vpn", {"extra_devices": "0"}, 0, {}),
        ("vpn", {}, 0, {}),
    ],
)
def test_what_is_chosen_is_priced_and_named_for_whmcs(
    group: str, wanted: dict[str, Any], price: int, sent: dict[int, int]
) -> None:
    chosen = choose(shop_options(group), wanted)
    assert price_of(chosen) == price
    assert whmcs_options(snapshot(chosen)) == sent


@pytest.mark.parametrize(
    ("group", "wanted", "key"),
    [
        ("home_internet", {}, "router"),
        ("home_internet", {"router": ""}, "router"),
        ("home_internet", {"router": "gold"}, "router"),
        ("home_internet", {"router": "none", "price": "0"}, "price"),
        ("home_internet", {"router": ["none"]}, "router"),
        ("voice_sim", {"sim_type": "esim", "voicemail": "maybe"}, "voicemail"),
        ("vpn", {"extra_devices": "6"}, "extra_devices"),
        ("vpn", {"extra_devices": "-1"}, "extra_devices"),
        ("vpn", {"extra_devices": "1.5"}, "extra_devices"),
        ("vpn", {"extra_devices": "１"}, "extra_devices"),
        ("vpn", {"extra_devices": "9" * 400}, "extra_devices"),
    ],
)
def test_what_is_not_offered_is_refused_with_a_sentence(group: str, wanted: dict[str, Any], key: str) -> None:
    with pytest.raises(OptionRefused) as refused:
        choose(shop_options(group), wanted)
    assert refused.value.key == key
    assert str(refused.value.sentence).endswith(".")


def test_a_text_is_kept_but_never_sent_to_whmcs() -> None:
    options = parse([{"key": "note", "type": "text", "label": {"en": "Note", "ja": "備考"}}])
    chosen = choose(options, {"note": " Ring twice "})
    assert snapshot(chosen)["note"]["value"] == "Ring twice"
    assert whmcs_options(snapshot(chosen)) == {}
    for bad in ("x" * 101, "two\nlines", "\x00"):
        with pytest.raises(OptionRefused):
            choose(options, {"note": bad})


@pytest.mark.parametrize(
    ("wanted", "values", "price"),
    [
        ({}, {}, 0),
        ({"greeting": "Hello"}, {}, 0),
        ({"voicemail": "no", "greeting": "x" * 999, "name": "not at all like it"}, {}, 0),
        ({"voicemail": "yes", "greeting": "Hello"}, {"voicemail": "yes", "greeting": "Hello"}, 440),
    ],
)
def test_an_option_exists_only_beside_the_value_it_depends_on(
    wanted: dict[str, Any], values: dict[str, Any], price: int
) -> None:
    chosen = choose(parse([voicemail(), GREETING, NAME]), wanted)
    assert {each.option.key: each.value for each in chosen} == values
    assert price_of(chosen) == price


def test_an_option_that_exists_is_required_like_any_other() -> None:
    with pytest.raises(OptionRefused) as refused:
        choose(parse([voicemail(), GREETING]), {"voicemail": "yes"})
    assert refused.value.key == "greeting"


def test_what_depends_on_an_option_that_does_not_exist_does_not_exist_either() -> None:
    kind = {
        **voicemail(key="kind", type="choice", required=True, when={"option": "voicemail", "values": ["yes"]}),
        "choices": [{**voicemail()["choices"][0], "value": value, "price": 0} for value in ("short", "long")],
    }
    note = text(required=True, when={"option": "kind", "values": ["long"]})
    options = parse([voicemail(), kind, note])
    assert choose(options, {"kind": "long", "note": "x"}) == ()
    assert applying(options, {"kind": "long"}) == {"voicemail"}
    assert applying(options, {"voicemail": "yes", "kind": "long"}) == {"voicemail", "kind", "note"}
    assert [each.value for each in choose(options, {"voicemail": "yes", "kind": "short", "note": "x"})] == [
        "yes",
        "short",
    ]


@pytest.mark.parametrize("sent", ["A", "Abcde", "Ab1", "Ab Cd", "Ábc", "xA\u2028bx"])
def test_a_text_that_does_not_match_its_pattern_is_refused_in_the_words_of_its_hint(sent: str) -> None:
    options = parse([text(pattern="[A-Za-z]{2,4}", hint={"en": "Two to four letters.", "ja": "英字2〜4文字。"})])
    assert choose(options, {"note": "Abc"})[0].value == "Abc"
    with pytest.raises(OptionRefused) as refused:
        choose(options, {"note": sent})
    assert "Two to four letters." in str(refused.value.sentence) or "one line" in str(refused.value.sentence)


def test_a_pattern_that_would_take_years_elsewhere_takes_none_here() -> None:
    """With a backtracking engine this test would not end."""
    options = parse([text(pattern="(a+)+")])
    with pytest.raises(OptionRefused):
        choose(options, {"note": "a" * 99 + "!"})


def test_the_documentation_shows_the_schema_in_force_and_examples_that_fit_it() -> None:
    page = (DOCS / "catalogue-options.md").read_text()
    examples = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        assert parse(json.loads(example))
    assert json.loads((DOCS / "catalogue-options.schema.json").read_text()) == json_schema()
    for name in json_schema()["$defs"]["Option"]["properties"]:
        assert f"`{name}`" in page


def test_what_a_page_shows_first_can_be_ordered() -> None:
    for group in catalogue.load().config_groups:
        options = shop_options(group)
        assert price_of(choose(options, defaults(options))) == 0


@pytest.mark.parametrize("stored", [{"router": "wifi6"}, {"router": {"value": "wifi6"}}, {"router": None}])
def test_a_foreign_snapshot_is_an_error_not_a_guess(stored: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="router"):
        whmcs_options(stored)


def test_a_stored_choice_is_said_in_words_and_what_is_gone_is_left_out() -> None:
    options = shop_options("vpn")
    key = options[0].key
    stored = snapshot(choose(options, {key: "2"}))
    assert words_of(options, stored | {"gone": {"value": "1"}}) == ["Devices beyond the first five: 2"]
    assert words_of(options, {key: {"value": "99"}}) == []
    assert words_of(options, {key: "odd"}) == []
