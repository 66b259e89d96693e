"""What an editor is told of manifests: one JSON Schema a platform, for language servers. Pure."""
