"""Captioned clips: the digits, the worlds, the input pipeline."""
