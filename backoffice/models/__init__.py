from backoffice.models.account import Account, JournalEntry, JournalLine
from backoffice.models.customer import Customer, CustomerEmail
from backoffice.models.document import Document, DocumentLine, DocumentTodo
from backoffice.models.item import Item
from backoffice.models.numbers import NumberSeries
from backoffice.models.stock import StockLevel, StockMovement

__all__ = [
    "Account",
    "Customer",
    "CustomerEmail",
    "Document",
    "DocumentLine",
    "DocumentTodo",
    "Item",
    "JournalEntry",
    "JournalLine",
    "NumberSeries",
    "StockLevel",
    "StockMovement",
]
