"""BigCommerce: v2 for orders, v3 for all else. Its words, bodies, limits and traps."""
