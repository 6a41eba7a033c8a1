"""`make bench`: how fast the addon is beside what a user would choose instead, and whether stored data slows it."""
