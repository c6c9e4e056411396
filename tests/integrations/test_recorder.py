"""One log line and two metrics for each call, with nothing in them that was not allowed (observability.md §2)."""

from typing import Any, cast

import pytest
from prometheus_client import REGISTRY

from integrations import correlation
from portal.recorder import LogAndMetrics


def counted(result: str) -> float:
    labels = {"system": "whmcs", "operation": "AddOrder", "result": result}
    return REGISTRY.get_sample_value("portal_remote_requests_total", labels) or 0


def test_a_call_is_counted_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    before = counted("timeout")
    with correlation.bound("0198-of-this-test"):
        LogAndMetrics().record(system="whmcs", operation="AddOrder", result="timeout", seconds=30.0004, status=None)
    assert counted("timeout") == before + 1
    (line,) = (cast(dict[str, Any], record.msg) for record in caplog.records if record.name == "portal.remote")
    shown = {"system", "operation", "result", "duration_ms", "status", "correlation_id"}
    assert line.keys() - shown == {"event", "level", "logger", "ts", "pid", "release"}
    assert {name: line[name] for name in shown} == {
        "system": "whmcs",
        "operation": "AddOrder",
        "result": "timeout",
        "duration_ms": 30000,
        "status": None,
        "correlation_id": "0198-of-this-test",
    }
