"""Captioned clips: the digits, the moving digits, the input pipeline."""
