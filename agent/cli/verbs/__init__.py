"""One module a verb; ``cli/main.py`` finds them by their files."""
