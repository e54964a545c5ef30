"""The OAuth command."""
