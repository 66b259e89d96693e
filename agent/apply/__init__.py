"""Doing: one change, one journalled request, one outcome. Applying makes no choices; the plan made them all."""
