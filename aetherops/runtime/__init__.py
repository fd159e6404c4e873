"""What runs the platform: settings, logs, connections, servers, supervision."""
