"""The irregularities of answers and the profiles that combine them: whmcs-wire §1.5."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.types import ASGIApp

from sandbox.people import app as people
from sandbox.whmcs.quirks.shaping import shaped
from sandbox.whmcs.quirks.switches import PROFILES, Profile, Quirks, resolved
from sandbox.world import World
from tests.sandbox.whmcs.asgi import Reply, send, send_json
from tests.sandbox.whmcs.wire import AIKO, post

LISTING = {
    "result": "success",
    "totalresults": 1,
    "startnumber": 0,
    "numreturned": 1,
    "products": {
        "product": [
            {
                "id": 7,
                "orderid": "12",
                "tax_id": "007",
                "name": 'Tom & "Jerry\'s"',
                "taxed": True,
                "extras": {"extra": []},
            }
        ]
    },
}
ROW = LISTING["products"]["product"][0]  # type: ignore[index]
NONE = {"totalresults": 0, "numreturned": 0, "products": {"product": []}, "statuses": {"status": []}}


def row(**switches: Any) -> dict[str, Any]:
    found: dict[str, Any] = shaped(LISTING, resolved("strict-docs", switches))["products"]["product"][0]
    return found


def test_the_documented_shapes_are_left_alone() -> None:
    assert shaped(LISTING, resolved("strict-docs", {})) is LISTING


@pytest.mark.parametrize(("ids", "expected"), [("strings", ("7", "12", "007")), ("integers", (7, 12, "007"))])
def test_ids_of_rows_are_of_one_kind_and_a_tax_number_is_no_id(ids: str, expected: tuple[Any, ...]) -> None:
    shown = row(ids=ids)
    assert (shown["id"], shown["orderid"], shown["tax_id"]) == expected


@pytest.mark.parametrize(("booleans", "expected"), [("strings", "1"), ("numbers", 1), ("on", "on"), ("words", "true")])
def test_truth_has_many_spellings(booleans: str, expected: Any) -> None:
    assert (row(booleans=booleans)["taxed"], type(row(booleans=booleans)["taxed"])) == (expected, type(expected))


@pytest.mark.parametrize(
    ("empty_lists", "products", "statuses"),
    [
        ("reported", "", {"status": []}),
        ("empty_string", "", ""),
        ("empty_array", [], []),
        ("null", None, None),
    ],
)
def test_a_list_without_rows(empty_lists: str, products: Any, statuses: Any) -> None:
    shown = shaped(NONE, resolved("strict-docs", {"empty_lists": empty_lists}))
    assert (shown["products"], shown["statuses"]) == (products, statuses)


def test_a_list_without_rows_may_be_missing_inside_too() -> None:
    assert set(shaped(NONE, resolved("strict-docs", {"empty_lists": "missing"}))) == {"totalresults", "numreturned"}
    assert "extras" not in row(empty_lists="missing")


def test_one_row_may_stand_without_a_list_and_lists_may_have_numbers_for_keys() -> None:
    one = shaped(LISTING, resolved("strict-docs", {"one_row": "object"}))
    assert one["products"]["product"]["id"] == 7
    numbered = shaped(LISTING, resolved("strict-docs", {"lists": "numeric_keys"}))
    assert numbered["products"]["product"]["0"]["id"] == 7


def test_what_paging_counts_with_stays_a_number_unless_switched() -> None:
    strings = shaped(LISTING, resolved("legacy-strings", {}))
    assert (strings["totalresults"], strings["startnumber"], strings["numreturned"]) == ("1", 0, 1)
    assert shaped(LISTING, resolved("strict-docs", {"paging": "strings"}))["numreturned"] == "1"


@pytest.mark.parametrize(("kind", "expected"), [("strings", "1"), ("integers", 1), ("absent", None)])
def test_totalresults_comes_as_it_likes(kind: str, expected: Any) -> None:
    assert shaped(LISTING, resolved("strict-docs", {"totalresults": kind})).get("totalresults") == expected


def test_texts_may_be_encoded_as_php_does() -> None:
    assert row(text="html_entities")["name"] == "Tom &amp; &quot;Jerry&#039;s&quot;"


def test_success_may_stand_under_another_name() -> None:
    shown = shaped(LISTING, resolved("strict-docs", {"success_key": "status"}))
    assert (shown["status"], "result" in shown) == ("success", False)


NAMES = st.sampled_from(["id", "product", "extra"])
scalars = st.text(max_size=5) | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False)
inside = st.recursive(
    scalars, lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(NAMES, deeper, max_size=2), max_leaves=6
)
answers = st.fixed_dictionaries(
    {"totalresults": st.integers(), "numreturned": st.integers()},
    optional=dict.fromkeys(("id", "products", "client", "customfields", "name"), inside),
)
profiles = st.sampled_from(get_args(Profile))


@given(answers, profiles)
def test_no_profile_loses_a_text_or_breaks_on_an_answer(answer: dict[str, Any], profile: Profile) -> None:
    before, after = list(texts(answer)), list(texts(shaped(answer, resolved(profile, {}))))
    assert [each for each in before if each in after] == before


def texts(value: Any) -> Any:
    """Texts that are neither empty nor digits, in their order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [each for inner in value for each in texts(inner)]
    return [value] if isinstance(value, str) and value.strip("0123456789") else []


def ask(app: ASGIApp, world: World, **settings: Any) -> Reply:
    if not world.whmcs.clients.get(1):
        post(app, AIKO)
    world.whmcs.configure(**settings)
    return post(app, {"action": "GetClientsDetails", "clientid": "1"})


def test_the_clients_fields_stand_twice_unless_switched_off(app: ASGIApp, world: World) -> None:
    assert ask(app, world).json()["email"] == "aiko@example.jp"
    once = ask(app, world, quirk_switches={"client_at_top": False}).json()
    assert ("email" in once, once["client"]["email"]) == (False, "aiko@example.jp")


def test_custom_fields_may_be_wrapped_as_of_old(app: ASGIApp, world: World) -> None:
    assert ask(app, world, quirks="older-7").json()["client"]["customfields"] == {
        "customfield": [{"id": "12", "value": ""}]
    }


def test_a_noisy_server_says_something_before_its_json(app: ASGIApp, world: World) -> None:
    reply = ask(app, world, quirks="noisy-php")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.body.startswith(b"\xef\xbb\xbf<br />\n<b>Notice</b>:  ")
    assert json.loads(reply.body[reply.body.index(b"{") :])["result"] == "success"


def test_errors_of_access_may_come_with_200(app: ASGIApp, world: World) -> None:
    world.whmcs.configure(quirk_switches={"errors_are_200": True})
    reply = post(app, {"action": "GetCurrencies", "secret": "wrong"})
    assert (reply.status, reply.json()["message"]) == (200, "Authentication Failed")


def test_the_default_is_a_current_installation(app: ASGIApp, world: World) -> None:
    assert world.whmcs.settings.quirks == "whmcs-8"
    assert post(app, {"action": "GetInvoices"}).json()["invoices"] == ""
    assert post(app, {"action": "GetClients"}).json()["clients"] == {"client": []}


@pytest.mark.parametrize(
    "wrong", [{"quirks": "whmcs-3"}, {"quirk_switches": {"ids": "romans"}}, {"quirk_switches": {"x": True}}]
)
def test_a_profile_switch_or_choice_that_is_none_changes_nothing(world: World, wrong: dict[str, Any]) -> None:
    before = world.whmcs.settings
    with pytest.raises((ValidationError, ValueError)):
        world.whmcs.configure(**wrong)
    assert world.whmcs.settings == before


def test_the_control_port_lists_every_switch_with_a_sentence(world: World) -> None:
    side_door = people(world)
    send_json(side_door, "/control/whmcs/settings", {"quirks": "older-7", "quirk_switches": {"ids": "integers"}})
    shown = send(side_door, "GET", "/control/whmcs/settings").json()
    listed = shown["irregularities"]
    assert set(listed["profiles"]) == set(PROFILES)
    assert set(listed["switches"]) == set(Quirks.__dataclass_fields__)
    assert all(each["about"].endswith(".") for each in [*listed["switches"].values(), *listed["profiles"].values()])
    assert (listed["switches"]["ids"]["now"], listed["switches"]["paging"]["now"]) == ("integers", "strings")
    assert listed["switches"]["byte_order_mark"]["choices"] == [True, False]
    assert shown["about"]["quirks"]
