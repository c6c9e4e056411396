"""Orders and services: from the cart to a service that works, and to its end."""
