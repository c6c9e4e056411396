"""What the sandbox itself costs, so that it is never taken for the portal's slowness."""
