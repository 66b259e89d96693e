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
"""

__version__ = "0.1.0"
