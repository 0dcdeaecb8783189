class BackofficeError(Exception):
    """Something the system may not do now. `sentence`: what happened and what to do, for staff."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class DocumentError(BackofficeError):
    """A document is not in the state this needs."""


class AppendOnlyError(BackofficeError):
    """Somebody tried to edit or delete what is posted."""
