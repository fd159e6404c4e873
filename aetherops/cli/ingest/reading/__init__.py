"""A file or a pipe on its way in: blocks of lines, and rows that give no sample."""
