"""Platforms as data: ``schemas/<platform>/`` read into typed, checked rules. No platform is named in Python."""
