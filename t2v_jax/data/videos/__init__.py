"""Folders of captioned videos, and the clips prepared from them."""
