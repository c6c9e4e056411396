"""Identity papers: uploaded, checked, kept encrypted, shown to whom they concern, passed on and deleted."""
