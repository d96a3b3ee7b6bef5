"""Worlds that are drawn as they are asked for."""
