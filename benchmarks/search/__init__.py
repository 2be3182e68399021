"""Many trainings at once: a random search over networks, and one network with many seeds."""
