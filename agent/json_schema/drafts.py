"""Which draft a schema is written in, and its compiled validator. Imports jsonschema_rs only when it is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agent.json_schema.formats import FORMATS

NEWEST: Final = "2020-12"
DRAFTS: Final[dict[str, str]] = {
    "http://json-schema.org/draft-04/schema": "4",
    "http://json-schema.org/draft-06/schema": "6",
    "http://json-schema.org/draft-07/schema": "7",
    "https://json-schema.org/draft/2019-09/schema": "2019-09",
    "https://json-schema.org/draft/2020-12/schema": NEWEST,
}
_FAST_CLASSES: Final = {
    "4": "Draft4Validator",
    "6": "Draft6Validator",
    "7": "Draft7Validator",
    "2019-09": "Draft201909Validator",
    NEWEST: "Draft202012Validator",
}


def draft_of(schema: Mapping[str, Any]) -> str | None:
    """The draft that ``$schema`` names, the newest without one, None for an unknown one."""
    named = schema.get("$schema", "https://json-schema.org/draft/2020-12/schema")
    return DRAFTS.get(named.removesuffix("#")) if isinstance(named, str) else None


def _refuse(uri: str) -> Any:
    raise LookupError(f"{uri} is not fetched")


def compile_fast(schema: Mapping[str, Any]) -> Any | None:
    """The compiled validator, or None where the engine is not installed; ValueError for what it cannot compile."""
    try:
        import jsonschema_rs
    except ImportError:
        return None
    factory = getattr(jsonschema_rs, _FAST_CLASSES[draft_of(schema) or NEWEST])
    return factory(
        dict(schema),
        formats=FORMATS,
        validate_formats=True,
        retriever=_refuse,
        pattern_options=jsonschema_rs.RegexOptions(),
    )


def fast_validator(schema: Mapping[str, Any]) -> Any | None:
    """The compiled validator, or None where jsonschema alone must serve."""
    try:
        return compile_fast(schema)
    except ValueError:
        return None


def fits_metaschema(schema: Mapping[str, Any]) -> bool | None:
    """Is the schema a schema? None where the compiled engine is not installed."""
    try:
        import jsonschema_rs
    except ImportError:
        return None
    return bool(jsonschema_rs.meta.is_valid(dict(schema)))
