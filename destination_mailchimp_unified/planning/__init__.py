"""What to do. Pure."""
