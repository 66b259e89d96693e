"""Joining: the only folder that imports all the steps. ``once`` is the walk, ``loop`` repeats it."""
