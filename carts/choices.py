"""Every status once: value, label, tone. `tone` is a label type of the panel's badges."""

from django.db.models import TextChoices

GOOD, BAD, WARN, INFO, QUIET = "success", "danger", "warning", "info", ""


class CartStatus(TextChoices):
    STOPPED = "stopped", "STOPPED"
    RUNNING = "running", "RUNNING"


class ImportAs(TextChoices):
    CASH_SALE = "cash_sale", "Cash Sales"
    SALES_ORDER = "sales_order", "Sales Orders"
    SALES_INVOICE = "sales_invoice", "Sales Invoices"


class GuestRule(TextChoices):
    PER_EMAIL = "per_email", "One customer for each e-mail address"
    SHARED = "shared", "One shared customer for all guests"


class NewRecords(TextChoices):
    """What becomes of an item or customer that turns up in the cart."""

    OFFER = "offer", "Offer them: they wait to be picked"
    CREATE = "create", "Create them here"


class Owner(TextChoices):
    """Whose value of one field counts when both sides changed it, and which side may change it at all."""

    ASK = "ask", "Ask"
    LAST = "last", "Last change wins"
    SYSTEM = "system", "System"
    CART = "cart", "Cart"


class Differs(TextChoices):
    """Which side of a linked pair has changed since they were last brought together."""

    NEITHER = "", "Linked"
    HERE = "here", "Changed here"
    THERE = "there", "Changed there"
    BOTH = "both", "Changed on both sides"

    @property
    def tone(self) -> str:
        return {Differs.NEITHER: GOOD, Differs.BOTH: WARN}.get(self, INFO)


class PushKind(TextChoices):
    STOCK = "stock", "Stock"
    ITEM = "item", "Item"
    CUSTOMER = "customer", "Customer"


class PushState(TextChoices):
    WAITING = "waiting", "Waiting"
    FAILED = "failed", "Failed"


class Kind(TextChoices):
    ORDER = "order", "Order"
    ITEM = "item", "Item"
    CUSTOMER = "customer", "Customer"


class RecordState(TextChoices):
    """What became of one record of the cart."""

    SEEN = "seen", "New"
    WAITING = "waiting", "Waiting"
    IMPORTED = "imported", "Imported"
    HELD = "held", "Held"
    FILTERED = "filtered", "Filtered"
    IGNORED = "ignored", "Ignored"
    FAILED = "failed", "Failed"
    MISSING = "missing", "Not in the cart any more"

    @property
    def tone(self) -> str:
        return _RECORD_TONES[self]


_RECORD_TONES = {
    RecordState.SEEN: INFO,
    RecordState.WAITING: INFO,
    RecordState.IMPORTED: GOOD,
    RecordState.HELD: WARN,
    RecordState.FILTERED: QUIET,
    RecordState.IGNORED: QUIET,
    RecordState.FAILED: BAD,
    RecordState.MISSING: BAD,
}

# A person has to act on these; the sidebar counts them.
PROBLEM_STATES = (RecordState.HELD, RecordState.FAILED)


class Reason(TextChoices):
    """Why a record is where it is. The sentence with the particulars stands beside it in `reason`."""

    NONE = "", ""
    UNKNOWN_SKU = "unknown_sku", "Unknown SKU"
    TOTAL_DIFFERS = "total_differs", "Total differs"
    AMBIGUOUS_CUSTOMER = "ambiguous_customer", "Ambiguous customer"
    NO_EMAIL = "no_email", "No e-mail address"
    CURRENCY = "currency", "Currency"
    UNREADABLE = "unreadable", "Cannot be read"
    BEFORE_START = "before_start", "Before the start date"
    STATUS = "status", "Order status"
    SUB_ORDER = "sub_order", "Part of another order"
    GRACE = "grace", "Grace delay"
    BY_STAFF = "by_staff", "By a member of staff"
    WRITE_FAILED = "write_failed", "Could not be written"
    GONE = "gone", "Gone from the cart"
    DELETED_HERE = "deleted_here", "Deleted here"
    GROUP = "group", "Its variations are the items"


class LineKind(TextChoices):
    """Values are those of the back office's document lines."""

    ITEM = "item", "Item"
    SHIPPING = "shipping", "Shipping"
    FEE = "fee", "Fee"
    ROUNDING = "rounding", "Rounding"
    OTHER = "other", "Other"


class RunKind(TextChoices):
    SYNC = "sync", "Auto-sync"
    REHEARSAL = "rehearsal", "Rehearsal"
    IMPORT = "import", "Import selected"
    RELEASE = "release", "Release of held orders"
    REHEARSAL_TO = "rehearsal_to", "Rehearsal of To Cart"
    EXPORT = "export", "Export selected"
    READ = "read", "Read all from the cart"


class RunState(TextChoices):
    QUEUED = "queued", "Waiting to start"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    PARTLY_FAILED = "partly_failed", "Partly failed"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"

    @property
    def tone(self) -> str:
        return _RUN_TONES[self]


_RUN_TONES = {
    RunState.QUEUED: QUIET,
    RunState.RUNNING: INFO,
    RunState.DONE: GOOD,
    RunState.PARTLY_FAILED: WARN,
    RunState.FAILED: BAD,
    RunState.STOPPED: QUIET,
}

ACTIVE_RUN_STATES = (RunState.QUEUED, RunState.RUNNING)


class Outcome(TextChoices):
    """What a run did (a rehearsal: would do) with one record."""

    PENDING = "pending", "Not yet"
    NEW = "new", "Imported"
    ALREADY = "already", "Already there"
    UPDATED = "updated", "Updated"
    UNCHANGED = "unchanged", "Unchanged"
    HELD = "held", "Held"
    WAITING = "waiting", "Waiting"
    FILTERED = "filtered", "Filtered"
    BEFORE_START = "before_start", "Before the start date"
    IGNORED = "ignored", "Ignored"
    FAILED = "failed", "Failed"
    SENT = "sent", "Changed in the cart"
    CREATED = "created", "Created in the cart"
    MISSING = "missing", "Gone from the cart"

    @property
    def tone(self) -> str:
        return _OUTCOME_TONES.get(self, QUIET)


def outcome_word(run_kind: str, outcome: str) -> str:
    """How an outcome is told: a rehearsal tells what would be done."""
    would = WOULD if run_kind in (RunKind.REHEARSAL, RunKind.REHEARSAL_TO) else {}
    return would.get(Outcome(outcome), Outcome(outcome).label)


WOULD = {
    Outcome.NEW: "Would import",
    Outcome.HELD: "Would hold",
    Outcome.SENT: "Would change",
    Outcome.CREATED: "Would create",
}
_OUTCOME_TONES = {
    Outcome.NEW: GOOD,
    Outcome.UPDATED: GOOD,
    Outcome.SENT: GOOD,
    Outcome.CREATED: GOOD,
    Outcome.MISSING: BAD,
    Outcome.HELD: WARN,
    Outcome.FAILED: BAD,
}
