"""Record ids."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sandbox.salesforce import ids

SUFFIXES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
VECTORS = [("00558000000yFyD", "AAU"), ("0014H00002LbR7Q", "QAV"), ("00D58000000arpq", "EAA")]


@pytest.mark.parametrize(("short", "suffix"), VECTORS)
def test_the_suffix_of_known_ids(short: str, suffix: str) -> None:
    assert ids.suffixed(short) == short + suffix
    assert ids.normalise(short) == ids.normalise(short + suffix) == short + suffix


@pytest.mark.parametrize("text", ["", "001", "00558000000yFyDAAA", "00558000000yFy-", "0055800000é0yFyD", "x" * 16])
def test_what_is_no_id(text: str) -> None:
    assert ids.normalise(text) is None


@given(st.text(ids.ALPHABET, min_size=15, max_size=15))
def test_the_suffix_brings_back_a_case_that_was_lost(short: str) -> None:
    whole = ids.suffixed(short)
    assert {ids.normalise(each) for each in (short, whole, whole.lower(), whole.upper())} == {whole}


@given(st.text(ids.ALPHABET, min_size=15, max_size=15), st.integers(15, 17), st.sampled_from(SUFFIXES))
def test_a_wrong_suffix_is_refused(short: str, at: int, wrong: str) -> None:
    whole = ids.suffixed(short)
    changed = f"{whole[:at]}{wrong}{whole[at + 1 :]}"
    assume(changed != whole)
    assume(changed not in (changed.lower(), changed.upper()))  # which would be an id whose case the suffix tells
    assert ids.normalise(changed) is None


@given(st.integers(min_value=1, max_value=62**6 - 2))
def test_ids_are_valid_and_sort_by_age(number: int) -> None:
    older, newer = ids.make("801", number), ids.make("801", number + 1)
    assert ids.normalise(older) == older
    assert len(older) == 18
    assert older < newer
