"""Layers with a vocabulary: text, and categories, as numbers."""
