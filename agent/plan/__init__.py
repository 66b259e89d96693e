"""Deciding, pure: desired x last applied x observed -> a Plan. No I/O, no clock, no randomness."""
