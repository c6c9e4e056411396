"""What the provider sells: the one table that both Salesforce's and WHMCS's seed data are made from."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("catalogue.json")


@dataclass(frozen=True)
class Bilingual:
    """A text in both languages of the shop."""

    en: str
    ja: str


@dataclass(frozen=True)
class Choice:
    """One choice of a configuration option; `price` is yen a month, tax included."""

    value: str
    whmcs_choice_id: int
    label: Bilingual
    price: int


@dataclass(frozen=True)
class ConfigOption:
    """One option; `kind` is choice, yes_no, quantity or text. `raw` is its JSON, as Product2 carries it."""

    key: str
    whmcs_option_id: int
    kind: str
    label: Bilingual
    required: bool
    choices: tuple[Choice, ...]
    raw: dict[str, Any]


@dataclass(frozen=True)
class CatalogueProduct:
    """One thing for sale; `price` is yen, tax included, a month or once according to `cycle`."""

    sku: str
    whmcs_pid: int
    category: str
    item_class: str
    cycle: str
    price: int
    display_order: int
    name: Bilingual
    description: Bilingual
    attributes: dict[str, Any]
    eligibility: tuple[str, ...]
    activation_sku: str
    identity: str
    config_group: str | None
    options: tuple[ConfigOption, ...]


@dataclass(frozen=True)
class Catalogue:
    """All products, with the names that both systems agree on."""

    pricebook: str
    currency: str
    whmcs_mark_field: str
    config_groups: dict[str, tuple[ConfigOption, ...]]
    products: tuple[CatalogueProduct, ...]


@cache
def load() -> Catalogue:
    """Read the table; it ships with the package, so anything wrong in it is a programming error and raises."""
    source = json.loads(SOURCE.read_text(encoding="utf-8"))
    groups = {name: tuple(_option(each) for each in options) for name, options in source["config_groups"].items()}
    return Catalogue(
        pricebook=source["pricebook"],
        currency=source["currency"],
        whmcs_mark_field=source["whmcs_mark_field"],
        config_groups=groups,
        products=tuple(_product(each, groups) for each in source["products"]),
    )


def _option(source: dict[str, Any]) -> ConfigOption:
    return ConfigOption(
        key=source["key"],
        whmcs_option_id=source["whmcs_option_id"],
        kind=source["type"],
        label=Bilingual(**source["label"]),
        required=source["required"],
        choices=tuple(_choice(each) for each in source["choices"]),
        raw=source,
    )


def _choice(source: dict[str, Any]) -> Choice:
    return Choice(source["value"], source["whmcs_choice_id"], Bilingual(**source["label"]), source["price"])


def _product(source: dict[str, Any], groups: dict[str, tuple[ConfigOption, ...]]) -> CatalogueProduct:
    group = source["config_group"]
    return CatalogueProduct(
        sku=source["sku"],
        whmcs_pid=source["whmcs_pid"],
        category=source["category"],
        item_class=source["class"],
        cycle=source["cycle"],
        price=source["price"],
        display_order=source["display_order"],
        name=Bilingual(**source["name"]),
        description=Bilingual(**source["description"]),
        attributes=source["attributes"],
        eligibility=tuple(source["eligibility"]),
        activation_sku=source["activation_sku"],
        identity=source["identity"],
        config_group=group,
        options=groups[group] if group else (),
    )
