"""`chaos` and `bench` are folders at the root and no installed packages."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
