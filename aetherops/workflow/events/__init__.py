"""Events: what is kept of a workflow, and all that is kept."""
