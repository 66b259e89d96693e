"""``datakeel adopt``: take over live objects that exist already, as they are shown; whatever the target's rule says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "adopt"
SUMMARY = "take over live objects that git describes and others made"
GROUP = "Change"
RANK = 8
EXAMPLE = "datakeel adopt Workflow/hourly-sync"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.objects import add_place
    from agent.cli.shared import add_common, add_target

    parser.add_argument("what", nargs="+", metavar="Kind/name", help="the objects; a kind alone means all of it in git")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_place(parser)
    add_target(parser)
    add_common(parser, (), selecting=False)


def run(arguments: Namespace) -> int:
    """Exit 0 once the consent is kept, 4 when something cannot be taken over or nobody agreed."""
    import os
    import sys

    from agent.cli import objects, owning, shared
    from agent.cli.output import scrubbed
    from agent.cli.style import paint_for
    from agent.errors import EXIT_DONE, EXIT_REFUSED, Refused
    from agent.report.escape import clean
    from agent.report.text import render_plan
    from agent.report.values import counted

    config, options = shared.config_of(arguments), shared.options_of(arguments)
    proposal = shared.run_async(owning.propose(config, options, objects.several_of(arguments)))
    paint = paint_for(sys.stderr, arguments.color, os.environ)
    for plan in proposal.plans:
        sys.stderr.write(scrubbed(render_plan(plan, paint=paint)))
    for key, why in proposal.left:
        sys.stderr.write(f"left       {clean(key.path, 200)}: {clean(why)}\n")
    if not proposal.words:
        raise Refused("there is nothing that can be taken over", code="not-adoptable")
    objects.require_yes(arguments, f"take over these {counted(len(proposal.words), 'object')}? [y/N] ")
    owning.say(config, proposal.words)
    for word in proposal.words:
        sys.stdout.write(f"agreed   {clean(word.key.path, 200)}: the next pass takes it over, if it is the same then\n")
    only = " ".join(f"--only {word.key.path}" for word in proposal.words[:3])
    sys.stdout.write(f"next     datakeel apply {clean(only, 300)}, or the running agent by itself\n")
    return EXIT_REFUSED if proposal.left else EXIT_DONE
