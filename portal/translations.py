"""Texts in two languages: finds every translatable one, says which lack Japanese, compiles what the portal reads.

GNU gettext is not needed: templates go through Django's own `templatize`, Python files through `ast`, and polib writes
the compiled files, which git ignores.
"""

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
from django.conf import settings
from django.utils.translation.template import templatize

APPS = [
    "accounts",
    "audit",
    "catalog",
    "integrations",
    "journal",
    "notifications",
    "orders",
    "portal",
    "provisioning",
    "subscriptions",
    "support",
]
CALLS = {
    "gettext": ("text",),
    "ngettext": ("text", "plural"),
    "pgettext": ("context", "text"),
    "npgettext": ("context", "text", "plural"),
}
IN_TEMPLATIZED = re.compile(r"(?<!\w)(_|n?p?gettext)\(")
LITERAL = re.compile(r"""\s*,?\s*(u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))""", re.DOTALL)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


@dataclass(frozen=True)
class Message:
    """One translatable text and the file that has it."""

    where: str
    text: str
    plural: str = ""
    context: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return (self.context, self.text)


def messages() -> Iterator[Message]:
    """Every translatable text of the portal, file by file."""
    root = settings.BASE_DIR
    for path in sorted((root / "templates").rglob("*.*")):
        if path.suffix in {".html", ".txt"}:
            yield from _in_template(path.relative_to(root).as_posix(), path.read_text())
    for app in APPS:
        for path in sorted((root / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield from _in_python(path.relative_to(root).as_posix(), path.read_text())


def _in_template(where: str, source: str) -> Iterator[Message]:
    code = templatize(source)
    for call in IN_TEMPLATIZED.finditer(code):
        names = CALLS["gettext" if call[1] == "_" else call[1]]
        values: list[str] = []
        at = call.end()
        while len(values) < len(names) and (literal := LITERAL.match(code, at)):
            values.append(ast.literal_eval(literal[1]))
            at = literal.end()
        if len(values) == len(names):
            yield Message(where, **dict(zip(names, values, strict=True)))


def _aliases(tree: ast.AST) -> dict[str, str]:
    """What this module calls Django's translation functions."""
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    names = (name for node in imports if node.module == "django.utils.translation" for name in node.names)
    return {name.asname or name.name: name.name.removesuffix("_lazy") for name in names}


def _in_python(where: str, source: str) -> Iterator[Message]:
    tree = ast.parse(source)
    aliases = _aliases(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            names = CALLS.get(aliases.get(node.func.id, ""), ())
            values = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if names and len(values) >= len(names):
                yield Message(where, **dict(zip(names, values, strict=False)))


def catalogues() -> list[Path]:
    """The .po files of the portal."""
    return sorted(path for folder in settings.LOCALE_PATHS for path in Path(folder).glob("*/LC_MESSAGES/*.po"))


def compile_all() -> int:
    """Writes each .mo that is missing or older than its .po; returns how many. Safe to repeat."""
    stale = [po for po in catalogues() if not _is_fresh(po.with_suffix(".mo"), po)]
    for po in stale:
        _compile(po)
    return len(stale)


def _compile(po: Path) -> None:
    """Writes the whole file or nothing, since another process may be reading it."""
    draft = po.with_suffix(f".{os.getpid()}.mo")
    polib.pofile(str(po)).save_as_mofile(str(draft))
    draft.replace(po.with_suffix(".mo"))


def _is_fresh(mo: Path, po: Path) -> bool:
    return mo.is_file() and mo.stat().st_mtime >= po.stat().st_mtime


def gaps(language: str) -> list[str]:
    """One sentence per text without a translation, and per translation whose placeholders differ from the text's."""
    entries = {
        (entry.msgctxt or "", entry.msgid): entry
        for po in catalogues()
        if po.parts[-3] == language
        for entry in polib.pofile(str(po))
    }
    found = {}
    for message in messages():
        if fault := _fault(message, entries.get(message.key)):
            found[message.key] = f"{message.where}: {message.text!r} {fault}"
    return sorted(found.values())


def _fault(message: Message, entry: polib.POEntry | None) -> str:
    if entry is None or entry.fuzzy or not entry.translated():
        return "is not translated"
    wanted = set(PLACEHOLDER.findall(message.plural or message.text))
    for translation in entry.msgstr_plural.values() if message.plural else [entry.msgstr]:
        if not set(PLACEHOLDER.findall(translation)) <= wanted | set(PLACEHOLDER.findall(message.text)):
            return f"has other placeholders in {translation!r}"
        if missing := sorted(wanted - set(PLACEHOLDER.findall(translation)) - {"%(n)s"}):
            return f"lacks {', '.join(missing)} in {translation!r}"
    return ""
