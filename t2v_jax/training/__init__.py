"""A run: set up, stepped, saved and reported."""
