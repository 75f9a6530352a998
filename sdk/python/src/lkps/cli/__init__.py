"""The `lkps` command: who may call which agent, asked of LKPS and changed there."""
