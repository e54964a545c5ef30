"""What every stream shares: the sync itself, the account, states, messages, progress."""
