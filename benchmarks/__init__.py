"""Measurements on this machine; none of them fails a test run (docs/architecture.md)."""
