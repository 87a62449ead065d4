"""Records of sessions (EDR): one for each, numbered without gaps, written to files that others take away."""
