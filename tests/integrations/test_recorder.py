"""One log line and two metrics for each call, with nothing in them that was not allowed (observability.md §2)."""

import json

import pytest
from prometheus_client import REGISTRY

from integrations import correlation
from portal.recorder import LogAndMetrics


def counted(result: str) -> float:
    labels = {"system": "whmcs", "operation": "AddOrder", "result": result}
    return REGISTRY.get_sample_value("portal_remote_requests_total", labels) or 0


def test_a_call_is_counted_and_logged_once(capfd: pytest.CaptureFixture[str]) -> None:
    before = counted("timeout")
    with correlation.bound("0198-of-this-test"):
        LogAndMetrics().record(system="whmcs", operation="AddOrder", result="timeout", seconds=30.0004, status=None)
    assert counted("timeout") == before + 1
    line = json.loads(capfd.readouterr().err.strip().splitlines()[-1])
    shown = {name: line[name] for name in ("system", "operation", "result", "duration_ms", "status", "correlation_id")}
    assert shown == {
        "system": "whmcs",
        "operation": "AddOrder",
        "result": "timeout",
        "duration_ms": 30000,
        "status": None,
        "correlation_id": "0198-of-this-test",
    }
