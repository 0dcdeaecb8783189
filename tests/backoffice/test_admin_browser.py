"""What only a browser shows: the second step of selecting all, and pages that fit a phone."""

import pytest
from django.urls import reverse

from backoffice.models import Document
from backoffice.services import customers
from backoffice.types import NewCustomer
from tests.backoffice.conftest import a_document, create

pytestmark = pytest.mark.browser


@pytest.fixture
def sixty(live_panel):
    (buyer,) = customers.create_customers([NewCustomer(name="Customer One")])
    return create(*(a_document(buyer) for _ in range(60)))


def test_all_matching_is_a_second_step(live_panel, page, sixty):
    page.goto(live_panel + reverse("admin:backoffice_document_changelist"))
    page.locator("#action-toggle").first.check()
    page.get_by_text("Select all 60 matching").click()
    page.get_by_text("All 60 matching selected").wait_for()
    page.select_option("select[name=action]", "approve_selected")
    page.get_by_role("button", name="Run").click()
    page.get_by_text("60 approved.").wait_for()
    assert set(Document.objects.values_list("state", flat=True)) == {"approved"}


def test_cancelling_an_approved_document_takes_two_clicks(live_panel, page, sixty):
    page.goto(live_panel + reverse("admin:backoffice_document_change", args=sixty[:1]))
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("was approved").wait_for()
    page.get_by_role("button", name="Cancel document").click()
    page.get_by_text("CS-000001 is APPROVED.").wait_for()
    assert Document.objects.get(pk=sixty[0]).state == "approved"
    page.get_by_role("button", name="Cancel CS-000001 and post the reverse").click()
    page.get_by_text("CS-000001 was cancelled.").wait_for()
    assert Document.objects.get(pk=sixty[0]).state == "cancelled"


def test_pages_fit_a_phone(live_panel, page, sixty):
    page.set_viewport_size({"width": 390, "height": 800})
    lists = ("item", "customer", "document", "stocklevel", "stockmovement", "account", "journalentry")
    addresses = [reverse(f"admin:backoffice_{model}_changelist") for model in lists]
    for address in (*addresses, reverse("admin:backoffice_document_change", args=sixty[:1])):
        page.goto(live_panel + address)
        assert (address, page.evaluate("document.documentElement.scrollWidth")) == (address, 390)
