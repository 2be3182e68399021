"""Many trainings at once: a random search over networks, and one network from many seeds."""
