"""From an OpenAPI document to the draft of a platform definition. Pure: bytes come in, files as text go out."""
