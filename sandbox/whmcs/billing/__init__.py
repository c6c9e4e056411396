"""Money: invoices, payments, credit, billable items and the daily automation."""
