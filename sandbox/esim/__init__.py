"""An eSIM provider: lines, tickets, install data (esim.md)."""
