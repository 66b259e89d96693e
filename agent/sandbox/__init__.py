"""A sandbox to try the agent on: the platforms' REST APIs, emulated from their API pages, with faults on request.

It imports nothing else of `agent`, least of all the definitions, so that it cannot agree with our mistakes. In process
an application is made by :func:`create_app`; as a process of its own it is started by :func:`run_sandbox`.
"""

from agent.sandbox.app import PLATFORMS, create_app
from agent.sandbox.clock import Clock, RealClock
from agent.sandbox.faults import NAMED, Rule
from agent.sandbox.messages import ConnectionLost, Refusal
from agent.sandbox.serve import run_sandbox, serve
from agent.sandbox.switches import Switches
from agent.sandbox.world import Author, Commit, Token, World

__all__ = [
    "NAMED",
    "PLATFORMS",
    "Author",
    "Clock",
    "Commit",
    "ConnectionLost",
    "RealClock",
    "Refusal",
    "Rule",
    "Switches",
    "Token",
    "World",
    "create_app",
    "run_sandbox",
    "serve",
]
