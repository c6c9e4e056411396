"""What may stand in no source of ours, whoever writes it (security.md §3, §4, §6). Each rule is tried on a bad line."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal.logging import ALLOWED

ROOT = Path(__file__).resolve().parents[2]
APPS = "accounts audit catalog integrations journal notifications orders portal provisioning subscriptions support"
SOURCES = [path for app in APPS.split() for path in (ROOT / app).rglob("*.py") if "/proto/" not in str(path)]
TEMPLATES = [path for path in (ROOT / "templates").rglob("*") if path.suffix in {".html", ".txt"}]
SCRIPTS = [path for path in (ROOT / "static").rglob("*.js") if "vendor" not in path.parts]
SOQL = re.compile(r"(?i)\bselect\b.+\bfrom\b|\bwhere\b.+[=<>]|\bfrom\b \w+ \bwhere\b", re.DOTALL)
OUR_OWN = {"_commodity_field", "ours", "earlier"}  # a setting, and conditions made of constants
Rule = Callable[[ast.AST], bool]


def _name(node: ast.AST) -> str:
    """`a.b.c` of a call or an attribute, as far as it is names."""
    node = node.func if isinstance(node, ast.Call) else node
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return ".".join([node.id, *parts] if isinstance(node, ast.Name) else ["", *parts])


def _put_together(node: ast.AST) -> bool:
    """A text made of pieces: an f-string with a value in it, % or +, or .format()."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Mod | ast.Add)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"


def says_safe(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) and _name(node).split(".")[-1] in {"mark_safe", "SafeText"}


def skips_a_check(node: ast.AST) -> bool:
    """csrf_exempt, unchecked certificates, code out of data, shells."""
    if isinstance(node, ast.keyword):
        bad = {"verify": False, "shell": True, "check_hostname": False}
        return node.arg in bad and isinstance(node.value, ast.Constant) and node.value.value is bad[node.arg]
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = {alias.name for alias in node.names} | {getattr(node, "module", "") or ""}
        return bool(names & {"pickle", "marshal", "shelve", "csrf_exempt", "xml.etree.ElementTree"})
    if isinstance(node, ast.Call):
        return _name(node) in {"eval", "exec", "os.system", "yaml.load", "ssl._create_unverified_context"}
    return isinstance(node, ast.Attribute) and node.attr in {"CERT_NONE", "csrf_exempt"}


def builds_a_query(node: ast.AST) -> bool:
    """SQL or SOQL put together from pieces; integrations/salesforce/soql.py alone may."""
    if isinstance(node, ast.Call) and _name(node).split(".")[-1] in {"execute", "raw", "extra", "RawSQL", "query"}:
        return any(_put_together(given) for given in [*node.args, *(each.value for each in node.keywords)])
    if isinstance(node, ast.JoinedStr) and _put_together(node):
        said = " ".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        return SOQL.search(said) is not None and bool(re.search(r"\b(SELECT|WHERE)\b", said))
    if isinstance(node, ast.Call) and _name(node) in {"select", "children"}:
        return any(isinstance(given, ast.JoinedStr) and not _of_our_names(given) for given in node.args)
    return False


def _of_our_names(text: ast.JoinedStr) -> bool:
    """Conditions are written with constants for the fields' names; their values are given beside them."""
    values = [_name(part.value).split(".")[-1] for part in text.values if isinstance(part, ast.FormattedValue)]
    return all(value.isupper() or value in OUR_OWN for value in values)


def logs_what_nobody_allowed(node: ast.AST) -> bool:
    """A log line with a key outside the list, or with words put together from values."""
    called = isinstance(node, ast.Call) and re.fullmatch(
        r"_?(log|logger)\.(debug|info|warning|error|exception|critical)", _name(node)
    )
    if not called or not isinstance(node, ast.Call):
        return False
    keys = {each.arg for each in node.keywords if each.arg} - {"exc_info"}
    return bool(keys - ALLOWED) or any(_put_together(given) for given in node.args)


def takes_every_field(node: ast.AST) -> bool:
    """A form of "all fields", which a new column joins unasked."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
        return False
    return node.value.value == "__all__"


def calls_past_the_caller(node: ast.AST) -> bool:
    """HTTP by another way than integrations/http.py, which has the deadlines, the certificates and no redirects."""
    return isinstance(node, ast.Call) and bool(
        re.fullmatch(
            r"(requests|httpx|urllib\.request)\.(get|post|put|patch|delete|request|Session|urlopen)", _name(node)
        )
    )


RULES: dict[str, tuple[Rule, set[str], str]] = {
    "nothing is called safe": (says_safe, set(), "x = mark_safe(name)"),
    "no check is skipped": (skips_a_check, set(), "requests.get(url, verify=False)"),
    "queries are not put together": (
        builds_a_query,
        {"integrations/salesforce/soql.py", "portal/jobs.py"},  # the second: the cache's table, a setting
        "rows = select(['Id'], 'Order', f\"Name = '{name}'\")",
    ),
    "logs name allowed keys only": (logs_what_nobody_allowed, set(), "log.info('signed_in', email=user.email)"),
    "forms name their fields": (takes_every_field, set(), "fields = '__all__'"),
    "one way out": (calls_past_the_caller, {"integrations/http.py"}, "requests.post(url, data)"),
}


def offences(rule: Rule, text: str) -> list[int]:
    return [getattr(node, "lineno", 0) for node in ast.walk(ast.parse(text)) if rule(node)]


@pytest.mark.parametrize("name", RULES)
def test_no_source_does_what_none_may(name: str) -> None:
    rule, allowed, _bad = RULES[name]
    found = {str(path.relative_to(ROOT)): offences(rule, path.read_text()) for path in SOURCES}
    assert {path: lines for path, lines in found.items() if lines and path not in allowed} == {}


@pytest.mark.parametrize("name", RULES)
def test_the_rule_would_see_it(name: str) -> None:
    rule, _allowed, bad = RULES[name]
    assert offences(rule, bad)


WORDS = {
    "templates": (
        TEMPLATES,
        re.compile(r"\|\s*safe(?:seq)?\b|autoescape off|javascript:|\son[a-z]+=\""),
        {"base.txt"},  # of mails as text
    ),
    "scripts": (
        SCRIPTS,
        re.compile(r"(?:inn|out)erHTML|AdjacentHTML|document\.write|\beval\(|new Function|(?:local|session)Storage"),
        set(),
    ),
}


@pytest.mark.parametrize("kind", WORDS)
def test_pages_escape_and_scripts_write_text_and_store_nothing(kind: str) -> None:
    paths, bad, allowed = WORDS[kind]
    assert len(paths) >= 1
    found = {str(path.relative_to(ROOT)): bad.findall(path.read_text()) for path in paths if path.name not in allowed}
    assert {path: words for path, words in found.items() if words} == {}


def required(path: Path) -> Iterator[str]:
    yield from re.split(r"\n(?=\S)", path.read_text())


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-sandbox.txt"])
def test_what_we_install_is_pinned_with_its_hash(name: str) -> None:
    """security.md §6; the audit against a list of known holes runs where there is a network."""
    pins = [pin for pin in required(ROOT / name) if pin.strip() and not pin.startswith(("#", " "))]
    assert len(pins) > 5
    assert [pin.split()[0] for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []


def test_the_salesforce_key_and_whatever_else_is_secret_is_in_no_file_of_ours() -> None:
    secret = re.compile(r"-----BEGIN (RSA |EC )?PRIVATE KEY|AKIA[0-9A-Z]{16}|xox[bp]-\d|SG\.[\w-]{20}\.")
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in [*SOURCES, ROOT / ".env.example"]}
    assert [path for path, text in texts.items() if secret.search(text)] == []
