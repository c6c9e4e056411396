"""The support desk of WHMCS: tickets with replies, notes and attachments."""
