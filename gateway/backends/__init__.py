"""What flows ask of other systems: typed calls over HTTP, and the orders that must happen at most once."""
