"""From a model to videos: load, generate, stream, write files."""
