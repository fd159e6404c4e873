"""Times in CSV files: ISO 8601 or counts, one by one or a column at once."""
