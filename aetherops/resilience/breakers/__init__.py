"""Circuit breakers: the state machine, what counts as a failure, and what they tell."""
