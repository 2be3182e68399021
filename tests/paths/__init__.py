"""How long the way through the house is."""
