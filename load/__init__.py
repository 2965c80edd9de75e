"""A load of users on the embedded product, and its figures beside the service levels."""
