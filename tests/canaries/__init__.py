"""Canaries: secrets that nobody else has, planted wherever one can enter, and looked for wherever anything leaves.

Row R7 of the fault model. `python -m tests.canaries` plays the whole; `test_canaries.py` a shorter form, and
`test_search.py` proves that the search finds every canary in every encoding.

- `catalogue` makes the canaries, and knows where one may lie
- `search` finds any of them in bytes, however they are written
- `leaky` is a platform that repeats every secret it was told, in each of its errors
- `stage` has the processes, files and references of one play; `sinks` is all that may be read of them afterwards
- `acts` is what is played
"""
