"""Proofs of the agent's own HTTP as a whole, with real processes."""
