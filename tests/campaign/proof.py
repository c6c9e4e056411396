"""`make campaign-proof`: without each of its safeguards, one at a time, the portal fails the campaign."""

import sys
import tempfile
from pathlib import Path

import sandbox.__main__  # noqa: F401 - so that the cells' sandboxes have it imported
from tests.campaign import cells
from tests.campaign.servers import ROOT, Servers


def main() -> int:
    """Exit status 1 when a seed is green without its safeguard, or red with it."""
    everything = Servers.start(Path(tempfile.mkdtemp(prefix="campaign-")))
    wrong = 0
    try:
        for taken, facts in cells.live_through_broken(everything, ROOT / ".artifacts" / "campaign-proof"):
            red = bool(facts["problems"])
            wrong += red != bool(taken)
            found = ", ".join(sorted({kind for kind, _text in facts["problems"]})) or "green"
            words = "; ".join(text for _kind, text in facts["problems"])
            sys.stdout.write(f"without {taken or 'nothing'}: {found} ({facts['seed']}) {words}\n")
    finally:
        everything.stop()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
