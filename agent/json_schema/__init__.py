"""JSON Schema: a fast yes from a compiled engine, and sentences of our own for the no.

Called by validation, definitions and configuration; nothing else imports jsonschema,
jsonschema_rs, referencing or re2.
Nothing is ever fetched: schemas that refer to anything outside themselves are refused at load.
"""

from agent.json_schema.check import check_schema
from agent.json_schema.schema import Schema
from agent.json_schema.violation import Violation

__all__ = ["Schema", "Violation", "check_schema"]
