"""The campaign's list of points: circumstance -> kind of process -> point -> how often it was passed.

Made by `python -m tests.campaign --trace`, which lives through every circumstance once; kept as a file, so that the
same seed number is the same seed. tests/campaign/test_points.py fails when the code has a point that is not in it.
"""

import json
from pathlib import Path

FILE = Path(__file__).with_name("points.json")
POINTS: dict[str, dict[str, dict[str, int]]] = json.loads(FILE.read_text()) if FILE.exists() else {}
