"""The irregularities of WHMCS' answers, each behind a switch, and the profiles that set several at once."""
