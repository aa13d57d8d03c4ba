"""What keeps processes and open pages alive: who is ready, and who is told of changes."""
