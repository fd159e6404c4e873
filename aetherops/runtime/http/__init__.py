"""The HTTP server: uvicorn on a socket of ours, and what a connection may hold."""
