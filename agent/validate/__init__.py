"""From bytes to desired resources: each fault of a manifest is found here, before any call. Pure; uses no network."""
