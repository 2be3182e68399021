"""Layers on categories and on numbers that are to become some."""
