"""`make bench`: how fast orders come in, beside the plain way and the floor, and what that costs."""
