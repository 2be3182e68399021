"""Steps, losses and metrics that a subclass of `Model` writes as methods, in Keras's form."""
