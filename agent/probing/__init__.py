"""What an API does that its documents leave open: asked by reads alone, counted, within the budget.

Used by the verbs ``doctor`` and ``probe``. ``walk`` and ``questions`` ask, ``answers`` and ``samples`` judge what came;
each result is a :class:`~agent.model.examined.Finding`. Nothing here decides what the engine does.
"""
