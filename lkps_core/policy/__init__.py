"""Policy: who may start sessions with which agent, decided by one pure function."""
