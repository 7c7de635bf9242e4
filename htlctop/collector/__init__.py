"""The running thing: connect, back off, subscribe, poll, fold, batch, refold at start."""
