"""The command line: parser, verbs, exit status, streams. Everything that a person types or reads on a terminal."""
