"""Every system of a running sandbox, and what makes it misbehave."""

from collections.abc import Iterator

import pytest

from tests.faults import Faults
from tests.sandbox.faults.clients import Salesforce, Whmcs, session
from tests.sandbox_process import Sandbox


@pytest.fixture
def faults(sandbox_process: Sandbox) -> Iterator[Faults]:
    misbehaving = Faults(sandbox_process)
    yield misbehaving
    misbehaving.clear()


@pytest.fixture
def whmcs(sandbox_process: Sandbox) -> Iterator[Whmcs]:
    with session(sandbox_process) as made:
        yield Whmcs(sandbox_process, made)


@pytest.fixture
def salesforce(sandbox_process: Sandbox) -> Iterator[Salesforce]:
    with session(sandbox_process) as made:
        client = Salesforce(sandbox_process, made)
        client.sign_in()
        yield client
