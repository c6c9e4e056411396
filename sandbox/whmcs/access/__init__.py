"""Who may call what (whmcs-wire §1.1, §1.2)."""
