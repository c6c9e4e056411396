"""Options: what JSON is accepted, what may be chosen, what it costs."""

from typing import Any

import pytest

from catalog.options import (
    BrokenOptions,
    Option,
    OptionRefused,
    choose,
    defaults,
    parse,
    price_of,
    snapshot,
    whmcs_options,
    words_of,
)
from sandbox import catalogue


def shop_options(group: str) -> tuple[Option, ...]:
    return parse([option.raw for option in catalogue.load().config_groups[group]])


def quantity(**changes: Any) -> dict[str, Any]:
    return {**catalogue.load().config_groups["vpn"][0].raw, **changes}


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
