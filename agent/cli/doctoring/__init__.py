"""What ``datakeel doctor`` examines: the configuration, what it leads to, the platforms behind it, and the state.

Used by the verb alone. Each check is a :class:`~agent.model.examined.Finding`; one that fails keeps no other from it.
Reads only.
"""
