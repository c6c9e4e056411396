"""Dates as WHMCS writes them: server-local and without a time zone (whmcs-wire §1)."""

NO_DATE = "0000-00-00"
NO_TIME = "0000-00-00 00:00:00"
