"""What runs on the platform: each service does one job over the domain packages."""
