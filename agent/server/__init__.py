"""LISTEN: the agent's own HTTP. ``app`` puts it together, ``access`` says who may look, ``listener`` holds the port.

``health`` tells how the agent is, ``hooks`` and ``receivers`` take in webhooks. Opened by ``cli/listening`` for the
addresses of the configuration, and loaded only then. What a request sets off or shows is handed in; nothing here knows
a pass, a store or a platform.
"""
