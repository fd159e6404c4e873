"""HTTP: what every endpoint needs of a request and a response."""
