"""A real PostgreSQL and a real Redis for laptops and tests. Production brings its own."""
