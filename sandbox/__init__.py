"""The practice shops: real HTTP servers that speak a platform's API, with a state of their own.

Nothing here imports the panel or the back office, and nothing there imports this.
"""
