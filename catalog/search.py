"""Finding plans and add-ons by words, in English and Japanese, whatever the width and kind of their letters."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.families import BY_CATEGORY, Family
from catalog.models import Product
from catalog.queries import sound

LONGEST = 100  # characters of a search that are looked at
MOST_WORDS = 8
HIRAGANA_TO_KATAKANA = {letter: letter + 0x60 for letter in range(0x3041, 0x3097)}
# What customers call the families beside our own names; a Japanese sentence has no blanks between its words.
WORDS_OF: Mapping[str, str] = {
    Product.Category.INTERNET: "home internet fibre fiber broadband wifi wi-fi 光 ネット インターネット 固定 自宅 回線",
    Product.Category.SIM: "sim esim mobile phone data 携帯 スマホ モバイル 格安 電話 データ",
    Product.Category.VPN: "vpn abroad streaming 海外 アイピー",
}


@dataclass(frozen=True)
class Found:
    """One plan or add-on and the family it belongs to."""

    product: Product
    family: Family

    @property
    def is_plan(self) -> bool:
        return self.product.item_class == Product.ItemClass.SERVICE


def folded(words: str) -> str:
    """The form in which texts are compared: width, case, and hiragana or katakana do not count."""
    return unicodedata.normalize("NFKC", words).casefold().translate(HIRAGANA_TO_KATAKANA)


def search_text(columns: Mapping[str, Any]) -> str:
    """What a product is found by, from the columns of the mirror."""
    names = (columns[name] for name in ("sku", "name_en", "name_ja", "description_en", "description_ja"))
    return folded(" ".join([*names, WORDS_OF.get(columns["category"], "")]))


def search(words: str) -> list[Found]:
    """Plans, then add-ons, in which every word occurs; none for an empty search. One query."""
    wanted = folded(words[:LONGEST]).split()[:MOST_WORDS]
    if not wanted:
        return []
    products = sound().filter(accessible=True, item_class__in=[Product.ItemClass.SERVICE, Product.ItemClass.ADD_ON])
    for word in wanted:
        products = products.filter(search_text__contains=word)
    return _plans_first([Found(product, BY_CATEGORY[product.category]) for product in products])


def _plans_first(found: Sequence[Found]) -> list[Found]:
    return sorted(found, key=lambda each: not each.is_plan)
