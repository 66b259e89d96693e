"""datakeel: a git repository of YAML manifests becomes live resources of a data platform, and stays so.

The whole agent is one walk, joined in :mod:`agent.reconcile.once`:

    fetch     source     git                  -> Revision
    load      source     blobs                -> files
    validate  validate   files                -> Desired, and every problem at once
    observe   live       keys                 -> Observed (Present, Absent, Unknown)
    plan      plan       desired x observed   -> Plan, a value that decides everything
    apply     apply      Plan                 -> Outcomes, one journalled request a change
    finish    store      Report               -> inventory, history, status

``validate`` stops after the third step, ``diff`` after the fifth, ``apply`` does all, ``run`` repeats it.

Programs come in by another door, ``from agent import connect``: see ``agent/docs/how-to/python.md``.
"""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """``connect`` and its kin, loaded by their first use: a verb, or a program that uses none of them, does without."""
    if name in ("connect", "connect_async") or name[:1].isupper():
        from agent.client.public import named

        try:
            globals()[name] = found = named(name)
        except LookupError:
            pass
        else:
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
