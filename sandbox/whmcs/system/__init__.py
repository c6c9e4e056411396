"""The installation itself: its log, its to-do list, its configuration, credentials for OAuth."""
