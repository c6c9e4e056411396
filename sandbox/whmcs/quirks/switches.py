"""Which irregularities there are, what each does, and which an installation shows (whmcs-wire §1.5)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Annotated, Any, Literal, get_args, get_type_hints

from pydantic import AfterValidator, TypeAdapter

from sandbox.whmcs.about import about

Choice = str | bool


@dataclass(frozen=True)
class Quirks:
    """How answers look. The defaults are the shapes of the official samples."""

    ids: Literal["documented", "strings", "integers"] = field(
        default="documented",
        metadata=about("Ids in rows as the documentation shows them, all as strings, or all as integers."),
    )
    numbers: Literal["documented", "strings"] = field(
        default="documented",
        metadata=about("Every number, but for those that paging counts with, as a string."),
    )
    booleans: Literal["documented", "strings", "numbers", "on", "words"] = field(
        default="documented",
        metadata=about('true and false as "1" and "", as 1 and 0, as "on" and "", or as "true" and "false".'),
    )
    empty_lists: Literal["documented", "reported", "empty_string", "empty_array", "null", "missing"] = field(
        default="documented",
        metadata=about(
            'A list without rows as {"product": []}, as client authors report it ("" for products, invoices, '
            'transactions and domains), or always as "", as [], as null, or without its key.'
        ),
    )
    one_row: Literal["documented", "object"] = field(
        default="documented",
        metadata=about("A list of one row as that row, without a list around it, as after conversion from XML."),
    )
    lists: Literal["documented", "numeric_keys"] = field(
        default="documented",
        metadata=about(
            'Lists as objects with the keys "0", "1" and so on, as json_encode() writes an array with gaps.'
        ),
    )
    paging: Literal["documented", "strings"] = field(
        default="documented",
        metadata=about("startnumber and numreturned as strings; clients that count with them break."),
    )
    totalresults: Literal["documented", "strings", "integers", "absent"] = field(
        default="documented",
        metadata=about("totalresults as each action documents it, always as a string or an integer, or not at all."),
    )
    text: Literal["plain", "html_entities"] = field(
        default="plain",
        metadata=about("Texts as they were sent, or with & < > and quotation marks as HTML entities."),
    )
    custom_fields: Literal["documented", "wrapped"] = field(
        default="documented",
        metadata=about('A client\'s customfields as a plain list, or inside {"customfield": []} as of old.'),
    )
    client_at_top: bool = field(
        default=True,
        metadata=about("GetClientsDetails repeats the client's fields at the top level, which is deprecated."),
    )
    success_key: Literal["result", "status"] = field(
        default="result",
        metadata=about('Success under "status" instead of "result", as a few official samples have it.'),
    )
    content_type: Literal["documented", "html"] = field(
        default="documented",
        metadata=about("The Content-Type that fits the answer, or text/html for everything."),
    )
    byte_order_mark: bool = field(
        default=False,
        metadata=about("Three bytes before the answer, as from a PHP file saved with a byte order mark."),
    )
    php_notice: bool = field(
        default=False,
        metadata=about("A PHP notice in HTML before the answer, as with display_errors on."),
    )
    errors_are_200: bool = field(
        default=False,
        metadata=about("Refusals of access come with HTTP 200 like every other error."),
    )


Profile = Literal["whmcs-8", "strict-docs", "legacy-strings", "single-object", "numeric-keys", "older-7", "noisy-php"]

PROFILES: dict[Profile, tuple[str, dict[str, Choice]]] = {
    "whmcs-8": ("What a current 8.x does.", {"empty_lists": "reported"}),
    "strict-docs": ("The shapes of the official samples.", {}),
    "legacy-strings": (
        "Everything a string, as from a database driver without types.",
        {"numbers": "strings", "booleans": "strings", "empty_lists": "empty_string"},
    ),
    "single-object": (
        "No list around a single row, as after conversion from XML.",
        {"one_row": "object", "empty_lists": "empty_array"},
    ),
    "numeric-keys": ("Lists as objects with numbers for keys.", {"lists": "numeric_keys"}),
    "older-7": (
        "Before 8.0: strings in paging and ids, the old nesting of custom fields.",
        {
            "ids": "strings",
            "paging": "strings",
            "totalresults": "strings",
            "custom_fields": "wrapped",
            "empty_lists": "missing",
        },
    ),
    "noisy-php": (
        "A badly kept server: a byte order mark, notices, and text/html.",
        {"byte_order_mark": True, "php_notice": True, "content_type": "html"},
    ),
}
_QUIRKS: TypeAdapter[Quirks] = TypeAdapter(Quirks)


def resolved(profile: Profile, switches: Mapping[str, Choice]) -> Quirks:
    """The profile with single switches on top. Raises ValueError for a switch or a choice that does not exist."""
    unknown = switches.keys() - {each.name for each in fields(Quirks)}
    if unknown:
        raise ValueError(f"unknown quirks: {', '.join(sorted(unknown))}")
    return _QUIRKS.validate_python(asdict(Quirks()) | PROFILES[profile][1] | dict(switches))


def _known(switches: dict[str, Choice]) -> dict[str, Choice]:
    resolved("strict-docs", switches)
    return switches


Switches = Annotated[dict[str, Choice], AfterValidator(_known)]


@dataclass
class QuirkSwitches:
    """The chosen profile, and single switches that differ from it."""

    quirks: Profile = field(default="whmcs-8", metadata=about("The profile of irregularities that answers show."))
    quirk_switches: Switches = field(
        default_factory=dict, metadata=about("Single irregularities that differ from the profile, by their names.")
    )

    def shown_quirks(self) -> Quirks:
        """The irregularities in force."""
        return resolved(self.quirks, self.quirk_switches)


def listed(now: Quirks) -> dict[str, Any]:
    """Profiles and switches with a sentence each, for people who look for one."""
    hints = get_type_hints(Quirks)
    return {
        "profiles": {name: {"about": sentence, "sets": sets} for name, (sentence, sets) in PROFILES.items()},
        "switches": {
            each.name: {
                "about": each.metadata["about"],
                "now": getattr(now, each.name),
                "choices": list(get_args(hints[each.name])) or [True, False],
            }
            for each in fields(Quirks)
        },
    }
