"""The exporter of ``make pages``, which is a script."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("export_pages", ROOT / "tools" / "export_pages.py")
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
page = _module.page
