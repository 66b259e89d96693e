"""SHOW: what people look at instead of reading logs, as JSON documents: the page's source, and the API's answers.

Made by ``cli/listening`` for a running agent, read by ``server/pages``. Documents come from the store and from what the
process holds; a platform is asked only where a person asks for it. Nothing here writes, decides or formats HTML.
"""
