"""How PHP reads forms and flags: whmcs-wire §1.3 and §0 no. 1."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.whmcs.php import (
    MAX_INPUT_NESTING_LEVEL,
    MAX_INPUT_VARS,
    json_encode,
    nest,
    parse_urlencoded,
    to_int,
    truthy,
)

DECODED: dict[str, dict[int | str, Any]] = {
    "pid[0]=1&pid[1]=2": {"pid": {0: "1", 1: "2"}},
    "pid[]=1&pid[]=2": {"pid": {0: "1", 1: "2"}},
    "pid[5]=1&pid[]=2": {"pid": {5: "1", 6: "2"}},
    "pid[3]=1&pid[7]=2": {"pid": {3: "1", 7: "2"}},
    "email_preferences[general]=1": {"email_preferences": {"general": "1"}},
    "a[1][optionid]=7&a[1][qty]=2": {"a": {1: {"optionid": "7", "qty": "2"}}},
    "pid=1&pid=2": {"pid": "2"},
    "pid=1,2": {"pid": "1,2"},
    "pid%5B0%5D=1": {"pid": {0: "1"}},
    "pid[0]=1&pid=2": {"pid": "2"},
    "pid=1&pid[0]=2": {"pid": {0: "2"}},
    "a[012]=1&a[1.0]=2&a[-3]=3": {"a": {"012": "1", "1.0": "2", -3: "3"}},
    "name=a+b%20c": {"name": "a b c"},
    "name=%E6%A0%AA": {"name": "株"},
    "empty=&bare": {"empty": "", "bare": ""},
    "a.b c=1": {"a_b_c": "1"},
    "a[b=1": {"a_b": "1"},
    "a[b]c=1": {"a": {"b": "1"}},
    "a[b.c [d=1": {"a_b_c__d": "1"},
    "a[b][c=1": {"a": {"b": "1"}},
    "  a=1": {"a": "1"},
    "a[ ]=1&a[ b]=2": {"a": {0: "1", " b": "2"}},
    "a%00b=1": {"a": "1"},
    "a[-3]=1&a[]=2": {"a": {-3: "1", 0: "2"}},
    "a[9223372036854775807]=1&a[]=2": {"a": {2**63 - 1: "1"}},
    "a[9223372036854775808]=1": {"a": {"9223372036854775808": "1"}},
    "[0]=1&=2": {},
    "noemail=False&x=undefined&y=None": {"noemail": "False", "x": "undefined", "y": "None"},
}


@pytest.mark.parametrize(("body", "expected"), DECODED.items(), ids=list(DECODED))
def test_a_form_is_read_as_php_reads_it(body: str, expected: dict[int | str, Any]) -> None:
    assert parse_urlencoded(body.encode()) == expected


def test_more_fields_than_php_takes_are_dropped() -> None:
    assert len(nest((f"f{number}", "x") for number in range(MAX_INPUT_VARS + 5))) == MAX_INPUT_VARS


def test_a_variable_nested_too_deeply_is_dropped_with_everything_of_its_name() -> None:
    deep = "a" + "[x]" * MAX_INPUT_NESTING_LEVEL
    assert list(nest([("a[y]", "1"), (deep, "2"), ("b", "3")])) == ["a", "b"]
    assert nest([("a[y]", "1"), (deep + "[x]", "2"), ("b", "3")]) == {"b": "3"}


def test_a_name_of_a_million_brackets_takes_no_time() -> None:
    assert nest([("a" + "[]" * 500_000, "1")]) == {}


@given(st.lists(st.tuples(st.text(), st.text())))
def test_no_form_breaks_the_decoder(pairs: list[tuple[str, str]]) -> None:
    assert isinstance(nest(pairs), dict)


@pytest.mark.parametrize("value", ["1", "true", "false", "False", "no", "off", "00", " ", {0: ""}])
def test_true_for_php(value: Any) -> None:
    assert truthy(value)


@pytest.mark.parametrize("value", [None, "", "0", {}])
def test_false_for_php(value: Any) -> None:
    assert not truthy(value)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("42", 42),
        ("12abc", 12),
        (" 7", 7),
        ("-3", -3),
        ("x", 0),
        (None, 0),
        ("00012", 12),
        ("-" + "9" * 30, -(2**63 - 1)),
        ("9" * 5000, 2**63 - 1),
    ],
)
def test_integers_are_cast_as_php_casts_them(value: str | None, number: int) -> None:
    assert to_int(value) == number


def test_json_is_escaped_as_php_escapes_it() -> None:
    assert json_encode({"url": "https://a/b", "name": "株"}) == r'{"url":"https:\/\/a\/b","name":"\u682a"}'


@given(st.recursive(st.text() | st.integers() | st.none() | st.booleans(), st.lists, max_leaves=10))
def test_escaping_changes_no_value(value: object) -> None:
    assert json.loads(json_encode(value)) == value
