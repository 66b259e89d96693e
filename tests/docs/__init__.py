"""What the documentation says, done as it says."""
