"""Single calls of a small model: what a step, a batch or a row costs on the host."""
