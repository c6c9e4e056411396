"""Japan Post's table, and how its kana read in romaji."""

import pytest

from accounts.profile.forms import national
from accounts.profile.postal_codes import digits, place_of
from accounts.profile.prefectures import NUMBERS, PREFECTURES


@pytest.mark.parametrize(
    ("code", "prefecture", "city", "town", "city_romaji", "town_romaji"),
    [
        ("1080023", "Tokyo", "港区", "芝浦", "Minato-ku", "Shibaura"),
        ("0600000", "Hokkaido", "札幌市中央区", "", "Sapporo-shi Chuo-ku", ""),
        ("7315157", "Hiroshima", "広島市佐伯区", "観音台", "Hiroshima-shi Saeki-ku", "Kannondai"),
        ("9000000", "Okinawa", "那覇市", "", "Naha-shi", ""),
        ("9070000", "Okinawa", "石垣市", "", "Ishigaki-shi", ""),
        ("0493114", "Hokkaido", "二海郡八雲町", "三杉町", "Futami-gun Yakumo-cho", "Misugicho"),
        ("1008994", "Tokyo", "千代田区", "丸の内", "Chiyoda-ku", "Marunochi"),  # an office with a code of its own
    ],
)
def test_a_code_is_a_place(
    code: str, prefecture: str, city: str, town: str, city_romaji: str, town_romaji: str
) -> None:
    place = place_of(code)
    assert place is not None
    assert (PREFECTURES[place.prefecture].romaji, place.city, place.town) == (prefecture, city, town)
    assert (place.city_romaji, place.town_romaji) == (city_romaji, town_romaji)


def test_what_is_no_code_is_no_place() -> None:
    assert [place_of(each) for each in ("0000000", "", "10800", "港区芝浦")] == [None] * 4


def test_the_prefectures_are_numbered_from_north_to_south() -> None:
    assert (len(PREFECTURES), NUMBERS["北海道"], NUMBERS["東京都"], NUMBERS["沖縄県"]) == (47, 1, 13, 47)


@pytest.mark.parametrize(
    "typed", ["1080023", "108-0023", "〒108-0023", "１０８－００２３", "108 0023", "１０８ー００２３"]
)
def test_a_code_may_be_typed_in_many_ways(typed: str) -> None:
    assert digits(typed) == "1080023"


def test_a_phone_is_shown_as_people_write_it() -> None:
    assert [national(each) for each in ("+818055210147", "+81364329999", "")] == ["080-5521-0147", "03-6432-9999", ""]
