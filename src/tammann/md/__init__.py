"""Molecular dynamics: conditions, engines, and the volume of a melt at a pressure."""
