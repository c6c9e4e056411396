"""Where every e-mail ends: an SMTP server that takes everything, and pages to read it."""
