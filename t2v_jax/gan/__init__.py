"""The minimax game: losses, penalties, state and the single update."""
