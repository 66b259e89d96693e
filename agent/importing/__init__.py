"""Live objects as manifests: what a person would write to get just that, and nothing that is the platform's own.

Called by the verb ``import`` with what was read; pure. ``kinds`` tells what cannot be imported and why, ``shape`` makes
a spec of a live object, ``manifest`` the bytes of a file and the proof that they say what is live, ``paths`` where the
file stands.
"""
