"""Settings that carry the sentence which explains them."""

from dataclasses import fields
from typing import Any


def about(sentence: str) -> dict[str, str]:
    """Metadata of a dataclass field: what the setting does."""
    return {"about": sentence}


def explained(settings: type[Any]) -> dict[str, str]:
    """The sentences of a dataclass' fields, by name."""
    return {each.name: each.metadata["about"] for each in fields(settings) if "about" in each.metadata}
