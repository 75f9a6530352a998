"""The sweep: what LKPS says of a session is made true, whoever failed to do or to tell."""
