"""Send: rows of a table or a file into an audience, seen before they go."""
