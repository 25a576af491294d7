"""What goes to the chain: the sender, the tx under way, and the way on after an alarm."""
