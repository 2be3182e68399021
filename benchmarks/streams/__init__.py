"""Training on a stream of batches: a generator, a `DataLoader` of PyTorch, a dataset of Grain."""
