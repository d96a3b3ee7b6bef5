"""The web page of t2v demo."""
