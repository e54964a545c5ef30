"""Handlers: one function for each method of each path, from a call to a reply."""
