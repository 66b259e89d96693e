"""Telling a forge: one sticky comment a pull request, one commit status a target. ``report`` makes what is told."""
