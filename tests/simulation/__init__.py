"""Deterministic simulation: the whole agent, its real store and the real sandbox, in virtual time, from a seed."""
