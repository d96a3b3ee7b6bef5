"""Data shipped with the package: compressed JSON, see assets/ATTRIBUTION.md."""

import gzip
import json
from pathlib import Path

_FOLDER = Path(__file__).parent.parent / "assets"


def load_asset(name: str) -> dict:
    """The JSON object in assets/NAME.json.gz."""
    return json.loads(gzip.decompress((_FOLDER / f"{name}.json.gz").read_bytes()))
