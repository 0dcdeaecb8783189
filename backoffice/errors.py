"""What the system refuses. The text of each is a sentence for staff: what happened, what to do."""


class BackofficeError(Exception):
    """Nothing was changed."""

    @property
    def sentence(self) -> str:
        return str(self)


class DocumentError(BackofficeError):
    """A document cannot be approved or cancelled as it stands."""


class AlreadyDone(DocumentError):
    """The document is already as it was to become."""


class StockError(BackofficeError):
    """Stock cannot be changed as asked."""


class UnbalancedEntry(BackofficeError):
    """Debits and credits of a journal entry differ. Always a fault of the program."""


class AppendOnlyError(BackofficeError):
    """Something posted was about to be edited or deleted."""
