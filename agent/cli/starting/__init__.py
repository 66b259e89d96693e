"""What ``datakeel init`` writes: a configuration, first manifests, help for editors, recipes, files to deploy.

Used by the verb ``init`` alone. Texts are made in memory and checked before the first file is written; nothing that is
there is ever written over.
"""

# The words of the command line: here, so that its help loads nothing else.
SANDBOX = "sandbox"
NONE = "none"
EXAMPLE, LIVE = "example", "live"
CI = ("github", "gitlab")
DEPLOY = ("compose", "kubernetes", "systemd")
HOOKS = ("pre-commit",)
