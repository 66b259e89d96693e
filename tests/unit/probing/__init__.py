"""What an API does that its documents leave open."""
