"""Platforms for Python programs: ``from agent import connect``. The guide is ``agent/docs/how-to/python.md``.

One surface for every platform that has a definition: ``client.resources`` with list, get, create, apply, delete, logs
and logs_stream, objects with ``save`` and ``refresh``, and a collection for each kind (``client.workspaces``). It
stands on the agent's own definitions, transport, budget and ledger. Unlike the agent it decides nothing: each call does
what it says, once.

``public`` is the door. ``kinds`` and ``edits`` are pure; ``opening`` turns arguments (``wanted``) into a
:class:`Session`, over which ``reading``, ``documents`` and ``writing`` work; ``asynchronous`` and ``synchronous`` are
what programs hold.
"""
