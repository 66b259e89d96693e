"""The two placeholder forms of a definition and its expression language.

``{word}`` in request lines (:class:`PathTemplate`), ``${…}`` in bodies (:class:`Template`), JMESPath everywhere else
(:class:`Expression`). ``definitions/`` compiles them at load; ``live/``, ``plan/`` and ``validate/`` evaluate them.
"""

from agent.definitions.expressions.paths import MISSING, ExpressionError, Missing, PathTemplate, UnsafePath, lookup
from agent.definitions.expressions.select import Expression
from agent.definitions.expressions.templates import Template

__all__ = ["MISSING", "Expression", "ExpressionError", "Missing", "PathTemplate", "Template", "UnsafePath", "lookup"]
