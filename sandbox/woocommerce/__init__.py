"""WooCommerce REST v3 as measured on a live server of version 11.0.1."""
