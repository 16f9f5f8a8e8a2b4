"""That a JSON document is what `docs/schema.json` says, and has no member it does not name."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

SCHEMA = Path(__file__).parents[2] / "docs/schema.json"


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def require_valid(document: dict[str, Any]) -> dict[str, Any]:
    """Return `document`; raises `jsonschema.ValidationError` where it is not what is promised."""
    _validator().validate(document)
    return document
