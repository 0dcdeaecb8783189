from backoffice.admin import accounts, customers, documents, items, stock

__all__ = ["accounts", "customers", "documents", "items", "stock"]
