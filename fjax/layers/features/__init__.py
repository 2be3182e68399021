"""Layers that encode categories and bin numbers."""
