"""What a cart allows is never overdrawn and hardly wasted, and nobody starves. Pure; time is made up."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carts.platforms.base import Allowance
from carts.services import allowances
from carts.services.allowances import Book, Priority
from tests.engine.budget_play import Asking, Play, Points, Windows

SECONDS = 300.0
SECOND = st.floats(0.02, 2.0)
PRIORITIES = st.sampled_from(Priority)
# What Shopify's plans and BigCommerce's plans publish.
CARTS = (
    lambda: Points(2000, 100),
    lambda: Points(1000, 50),
    lambda: Windows(150, 30),
    lambda: Windows(450, 30),
)


def costs(cart: Points | Windows) -> st.SearchStrategy[float]:
    return st.floats(20, 800) if isinstance(cart, Points) else st.just(1.0)


@st.composite
def plays(draw: st.DrawFn) -> Play:
    cart = draw(st.sampled_from(CARTS))()
    everybody = []
    for _ in range(draw(st.integers(1, 6))):
        cost = draw(costs(cart))
        real = cost * draw(st.floats(0.2, 1)) if isinstance(cart, Points) else cost
        everybody.append(
            Asking(
                draw(PRIORITIES), cost, real, there=draw(SECOND), work=draw(SECOND), back=draw(SECOND),
                starts=draw(st.floats(0, 40)), pause=draw(SECOND), loses_every=draw(st.sampled_from((0, 0, 3))),
            )
        )  # fmt: skip
    return Play(cart, everybody)


@settings(max_examples=40, deadline=None)
@given(plays())
def test_the_cart_is_never_asked_for_more_than_it_allows(play):
    """Whoever comes when, however long answers take, whatever gets lost: it has nothing to refuse."""
    assert play.run(100.0).refusals == []


@pytest.mark.parametrize("cart", [0, 2], ids=["points", "window"])
def test_a_backlog_uses_the_allowance_and_small_urgent_requests_pass_it(cart):
    shop = CARTS[cart]()
    cost = 300.0 if cart == 0 else 1.0
    backlog = [Asking(Priority.BACKGROUND, cost, starts=number / 10) for number in range(4)]
    stock = Asking(Priority.STOCK, 30.0 if cart == 0 else 1.0, starts=20.3, pause=7.0)
    staff = Asking(Priority.STAFF, 10.0 if cart == 0 else 1.0, starts=31.7, pause=13.0)
    play = Play(shop, [*backlog, stock, staff]).run(SECONDS)
    allowed = shop.per_second * SECONDS if isinstance(shop, Points) else shop.limit * SECONDS / shop.seconds
    assert play.refusals == []
    assert 0.95 * allowed <= play.taken
    assert len(stock.waits) >= 36 and max(stock.waits) < 5.0
    assert len(staff.waits) >= 20 and max(staff.waits) < 5.0


def test_a_large_request_is_not_starved_by_small_ones():
    small = [Asking(Priority.BACKGROUND, 10.0) for _ in range(12)]
    urgent = [Asking(Priority.STOCK, 20.0, pause=0.1) for _ in range(2)]
    large = Asking(Priority.BACKGROUND, 1000.0, starts=60.0, times=3)
    Play(Points(2000, 100), [*small, *urgent, large]).run(SECONDS)
    assert len(large.waits) == 3
    # 1,000 and the reserve take 18 seconds; before them it lets those pass who come within its patience.
    assert max(large.waits) < 2 * 18 + Priority.BACKGROUND.value.patience_seconds + allowances.LOOK_SECONDS


def test_stock_is_not_starved_by_orders_and_staff():
    orders = [Asking(Priority.ORDERS, 100.0) for _ in range(3)]
    staff = [Asking(Priority.STAFF, 50.0) for _ in range(3)]
    stock = Asking(Priority.STOCK, 30.0, starts=60.0, pause=1.0)
    Play(Points(1000, 50), [*orders, *staff, stock]).run(SECONDS)
    assert max(stock.waits) < 15.0  # two seconds' patience behind six who wait already for 450 points
    assert len(stock.waits) > 10


def test_one_who_was_killed_while_waiting_is_not_waited_for():
    book = Book(limit=1000.0, left=0.0, at=0.0, restore_per_second=100.0)
    book, wait, _ = allowances.ask(book, "killed", 500.0, Priority.STOCK.value, 0.0)
    assert wait == 5.0
    book, wait, _ = allowances.ask(book, "alive", 100.0, Priority.STOCK.value, 0.1)
    assert wait == pytest.approx(5.9)  # both
    book, wait, spending = allowances.ask(book, "alive", 100.0, Priority.STOCK.value, 5.2)
    assert wait == 0.0 and spending is not None
    assert book.left == pytest.approx(420.0)


def test_what_was_asked_too_dearly_comes_back():
    book = Book(limit=1000.0, left=800.0, at=0.0, restore_per_second=50.0)
    book, _, spending = allowances.ask(book, "a", 400.0, Priority.STAFF.value, 0.0)
    assert book.left == 400.0
    book = allowances.learned(book, Allowance(1000.0, 700.0, 50.0), spending, 400.0, 100.0, 0.0)
    assert book.left == 700.0


def test_an_answer_is_not_believed_to_know_of_those_that_came_after_it():
    book = Book(limit=1000.0, left=900.0, at=0.0, restore_per_second=50.0)
    book, _, first = allowances.ask(book, "a", 100.0, Priority.STAFF.value, 0.0)
    book, _, second = allowances.ask(book, "b", 300.0, Priority.STAFF.value, 0.0)
    told_before_the_second_came = Allowance(1000.0, 800.0, 50.0)
    book = allowances.learned(book, told_before_the_second_came, first, 100.0, 100.0, 0.0)
    assert book.left == 500.0
    book = allowances.learned(book, Allowance(1000.0, 500.0, 50.0), second, 300.0, 300.0, 0.0)
    assert book.left == 500.0


def test_others_of_the_same_cart_are_counted():
    """An app of somebody else spends from the same budget: the cart's word is what counts."""
    book = Book(limit=150.0, left=150.0, at=0.0, reset_at=30.0, window_seconds=30.0)
    book, _, spending = allowances.ask(book, "a", 1.0, Priority.STAFF.value, 1.0)
    book = allowances.learned(book, Allowance(150.0, 12.0, reset_seconds=29.0), spending, 1.0, 1.0, 1.0)
    assert (book.left, book.reset_at) == (12.0, 30.0)


def test_after_a_refusal_nobody_spends_for_as_long_as_the_cart_says():
    book = Book(limit=150.0, left=20.0, at=0.0, reset_at=30.0, window_seconds=30.0)
    book = allowances.refused(book, 12.0, None, 0.0)
    for priority in Priority:
        assert allowances.ask(book, "a", 1.0, priority.value, 0.0)[1] >= 12.0
    unsaid = allowances.refused(Book(limit=1000.0, left=1000.0, at=0.0, restore_per_second=50.0), None, None, 0.0)
    assert allowances.ask(unsaid, "a", 1.0, Priority.STAFF.value, 0.0)[1] == allowances.REFUSED_SECONDS


def test_a_request_dearer_than_all_there_can_be_goes_when_all_is_there():
    book = Book(limit=1000.0, left=1000.0, at=0.0, restore_per_second=50.0)
    assert allowances.ask(book, "a", 1200.0, Priority.BACKGROUND.value, 0.0)[1] == 0.0
