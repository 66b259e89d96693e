"""LISTEN: the agent's own HTTP. ``app`` puts it together, ``receivers`` take in webhooks, ``listener`` holds the port.

Opened by ``cli/listening`` when an address is configured, and loaded only then. What a request sets off is handed in;
nothing here knows a pass, a store or a platform.
"""
