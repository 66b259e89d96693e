"""Fuzzing: whatever bytes come in through a door, what comes out is a value or a declared refusal, soon.

``python -m tests.fuzz [TARGET…] --seconds 300`` is the long, coverage-guided run (it wants the extra ``fuzz``);
``test_fuzz.py`` replays every input that once broke something, and mutates the seeds of each target for a moment.
"""
