"""Pages of the orders app: the desk."""
