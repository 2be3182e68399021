"""fjax: a functional training framework on JAX."""
