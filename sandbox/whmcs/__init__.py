"""WHMCS as its clients see it: the external API, and the pages a customer reaches by single sign-on."""
