"""Prints facts about an OpenAPI document, for the report: `python facts.py docs/openapi.json`."""

import json
import sys
from pathlib import Path

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}

document = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
operations = sum(len(METHODS & path.keys()) for path in document["paths"].values())
print(json.dumps({"API endpoints": operations}))
