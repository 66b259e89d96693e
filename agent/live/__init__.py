"""Platform REST: from keys and bodies to calls, and from answers to ten words. The only folder that imports httpx."""
