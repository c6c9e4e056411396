"""The messages: two copies of one file, whose generated classes are what the generator makes of it today."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PORTAL, SANDBOX = Path("integrations/salesforce/proto"), Path("sandbox/salesforce/pubsub/proto")


def test_both_copies_say_the_same() -> None:
    assert (ROOT / PORTAL / "eventbus.proto").read_bytes() == (ROOT / SANDBOX / "eventbus.proto").read_bytes()


def test_the_generated_classes_are_up_to_date(tmp_path: Path) -> None:
    subprocess.run([ROOT / PORTAL / "generate.sh", sys.executable, tmp_path], check=True)
    for folder in (PORTAL, SANDBOX):
        for name in ("eventbus_pb2.py", "eventbus_pb2.pyi"):
            assert (tmp_path / folder / name).read_text() == (ROOT / folder / name).read_text()


def test_both_can_be_used_in_one_process() -> None:
    from integrations.salesforce.proto import eventbus_pb2 as portal
    from sandbox.salesforce.pubsub.proto import eventbus_pb2 as sandbox

    sent = sandbox.FetchResponse(pending_num_requested=3).SerializeToString()
    assert portal.FetchResponse.FromString(sent).pending_num_requested == 3
