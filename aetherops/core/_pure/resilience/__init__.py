"""Pure twins of the kernels of circuit breakers."""
