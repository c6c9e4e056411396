"""What the tests of the integrations share: a far side that misbehaves, and a recorder that remembers."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from integrations.http import Caller
from tests.integrations.far_side import FarSide, far_side


@dataclass
class Recorded:
    """A CallRecorder that keeps what it was told."""

    calls: list[tuple[str, str, int | None]] = field(default_factory=list)

    def record(self, *, system: str, operation: str, result: str, seconds: float, status: int | None = None) -> None:
        assert system
        assert seconds >= 0
        self.calls.append((operation, result, status))


@pytest.fixture(scope="session")
def _running_far_side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarSide]:
    with far_side(tmp_path_factory.mktemp("far-side")) as side:
        yield side


@pytest.fixture
def far(_running_far_side: FarSide) -> FarSide:
    _running_far_side.requests.clear()
    return _running_far_side


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def caller(far: FarSide, recorded: Recorded) -> Caller:
    return Caller(system="whmcs", recorder=recorded, ca_bundle=str(far.ca))
