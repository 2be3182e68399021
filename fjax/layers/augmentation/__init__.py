"""Layers that change images at random in training, and layers that crop them or even colors out."""
