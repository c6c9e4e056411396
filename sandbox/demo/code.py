"""`make code`: the six digits that the demo's member of staff would read off a phone just now (RFC 6238)."""

import base64
import hmac
import struct
import sys
import time
from pathlib import Path

from sandbox.demo.stack import ROOT

STEP_S = 30
DIGITS = 6


def code(secret: str, at: float) -> str:
    """The code of a base32 `secret` at `at`, seconds since 1970."""
    counter = struct.pack(">Q", int(at) // STEP_S)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def main() -> int:
    kept: Path = ROOT / ".demo" / "staff-totp"
    if not kept.exists():
        sys.stderr.write("code: there is no demo yet; run make demo first.\n")
        return 2
    sys.stdout.write(f"{code(kept.read_text(), time.time())}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
