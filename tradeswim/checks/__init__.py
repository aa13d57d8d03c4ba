"""System checks that refuse settings, servers and rows with which an order is not safe."""
