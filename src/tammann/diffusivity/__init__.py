"""Diffusivities learned from structures: features, models, honest validation, and what they are good for."""
