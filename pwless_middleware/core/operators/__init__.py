"""What operators have, make and set."""
