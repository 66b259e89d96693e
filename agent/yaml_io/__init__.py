"""YAML in and out: the one door through which YAML enters and leaves, and the only importer of PyYAML.

Called for manifests, configuration, definitions, schemas and YAML replies. Bad input gives problems with line and
column, never an exception. It never builds anything but JSON values, never follows a merge key, never runs a tag.
"""

from agent.yaml_io.budget import CONFIG_BUDGET, MANIFEST_BUDGET, REPLY_BUDGET, Budget, Document, Loaded
from agent.yaml_io.emit import dump
from agent.yaml_io.fold import load
from agent.yaml_io.places import Positions, positions
from agent.yaml_io.scalars import readings

__all__ = [
    "CONFIG_BUDGET",
    "MANIFEST_BUDGET",
    "REPLY_BUDGET",
    "Budget",
    "Document",
    "Loaded",
    "Positions",
    "dump",
    "load",
    "positions",
    "readings",
]
