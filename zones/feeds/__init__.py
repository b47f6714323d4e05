"""What the plant says of itself: machine states and vehicle positions."""
