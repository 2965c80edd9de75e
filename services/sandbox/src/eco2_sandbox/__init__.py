"""Stand-ins for every outside vendor, in their real shapes."""
