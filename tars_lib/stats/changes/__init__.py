"""Where does a series change: break points, shifts of level and trends."""
