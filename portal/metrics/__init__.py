"""What Prometheus is told. Numbers of the business come from the database at each scrape (observability.md §1)."""
