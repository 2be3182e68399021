"""Layers with a vocabulary, which map text and categories to integer indices."""
