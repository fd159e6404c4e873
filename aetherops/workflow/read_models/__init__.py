"""Read models: workflows listed and searched, kept beside the events that say the same."""
