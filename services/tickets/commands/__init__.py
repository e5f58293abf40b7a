"""What changes tickets, by capability. Everything here gets a session and never commits."""
