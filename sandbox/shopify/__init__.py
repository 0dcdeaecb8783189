"""Shopify's Admin GraphQL API, version 2026-07: its own schema, cut down to what a connector asks for."""
