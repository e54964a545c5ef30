"""The contacts stream."""
