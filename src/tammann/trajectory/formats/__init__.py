"""Readers of trajectory files, one a format."""
