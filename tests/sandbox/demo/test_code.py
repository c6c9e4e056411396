"""The demo's second factor, by the vectors of RFC 6238, appendix B (its last six digits)."""

import base64

import pytest

from sandbox.demo.code import code

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("at", "digits"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_vectors(at: int, digits: str) -> None:
    assert code(SECRET, at) == digits
