"""The data directory: its room, whose it is, and the files in it that are ours."""
