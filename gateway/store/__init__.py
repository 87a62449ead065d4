"""What must survive a crash: sessions, messages, orders, schedules, journal. Knows no flow, no channel."""
