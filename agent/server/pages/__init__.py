"""The page that people look at instead of reading logs, and the same documents as an API.

``routes`` is the table of pages, ``render`` turns a document into HTML, ``drawing`` counts out what is drawn as SVG,
``live`` tells an open page that something is new. Templates, the style sheet and the vendored scripts lie beside them.
Works without JavaScript; asks nobody but the agent; loaded only by an agent that listens.
"""
