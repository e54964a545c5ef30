"""What came in: lines, streams, columns, values."""
