"""`make bench`: how fast orders come in, beside the plain way and the floor; README.md has the last table."""
