"""One suite over every definition: each managed kind goes through a life, and through scenes of what goes wrong.

``examples`` finds kinds and their manifests, ``derived`` tells from a definition what a stage needs and why a kind may
be exempt from it, ``emulated`` is one target on one emulator in virtual time, ``wire`` what lies between them.
``life``, ``adoption``, ``losses`` and ``lies`` hold the stages; each stage's docstring states the rule that it proves.
The emulator is the judge: what counts is which changes it saw and what it has in the end. No platform is known here.

``deaths`` kills the process at each effect of a manifest's life.

``python -m tests.platforms.conformance`` prints the matrix of kinds and stages; with ``--deaths`` it kills everywhere.
"""
