"""Alert rules name metrics that exist, and each leads to a runbook that answers six questions."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from django.urls import resolve
from prometheus_client.parser import text_string_to_metric_families

from portal.metrics.collector import collector

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/portal-rules.yml"
GROUPS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"]
ALERTS = [rule for group in GROUPS for rule in group["rules"] if "alert" in rule]
EXPRESSIONS = {rule.get("alert") or rule["record"]: rule["expr"] for group in GROUPS for rule in group["rules"]}
RUNBOOKS = sorted((ROOT / "docs/runbooks").glob("*.md"))
QUESTIONS = ["What it means", "How to check", "What is certain", "What to do", "Never", "Whom to wake"]


@pytest.fixture
def exported(client: Client) -> Mapping[str, Mapping[str, set[str]]]:
    """Name of every sample -> label -> values."""
    collector.forget()
    found: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(client.get("/metrics").content.decode()):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return found


@pytest.mark.django_db
def test_every_metric_and_label_of_a_rule_is_exported(exported: Mapping[str, Mapping[str, set[str]]]) -> None:
    for name, expression in EXPRESSIONS.items():
        used = re.findall(r"\b(portal_\w+)(?:\{([^}]*)\})?", expression)
        for metric, matchers in used:
            assert metric in exported, f"{name} uses {metric}"
            for label, value in re.findall(r'(\w+)=~?"([^"]*)"', matchers):
                assert set(value.split("|")) <= exported[metric].get(label, set()), f"{name}: {metric}{{{matchers}}}"


def test_a_rule_uses_recordings_that_there_are() -> None:
    for name, expression in EXPRESSIONS.items():
        for recording in re.findall(r"\bportal:[\w:]+", expression):
            assert recording in EXPRESSIONS, f"{name} uses {recording}"


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_how_urgent_it_is_and_where_to_read_on(rule: Mapping[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket", "none"}
    assert rule["annotations"]["summary"]
    assert (ROOT / rule["annotations"]["runbook"]).is_file()


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_a_runbook_answers_the_questions_of_the_night_in_their_order(path: Path) -> None:
    assert re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE) == QUESTIONS


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_a_runbook_names_pages_units_and_commands_that_exist(path: Path) -> None:
    text = path.read_text()
    for page in re.findall(r"`(/admin/[\w/]*)", text):
        assert resolve(page).url_name, page  # what the admin does not know has no name
    for unit in re.findall(r"\b(portal-[a-z]+)(?:@[\w*:.]*)?\b", text):
        assert list((ROOT / "deploy/systemd").glob(f"{unit}*.service")), unit
    for command in re.findall(r"manage\.py (\w+)", text):
        commands = [*ROOT.glob(f"*/management/commands/{command}.py")]
        assert commands or command in {"migrate", "shell", "check"}, command
    for other in re.findall(r"\]\(([\w-]+\.md)\)", text):
        assert (path.parent / other).is_file(), other


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_itself_finds_the_rules_in_order() -> None:
    subprocess.run(["promtool", "check", "rules", str(RULES)], check=True)
