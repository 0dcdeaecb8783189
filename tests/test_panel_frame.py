"""The panel's frame: who gets in, what the sidebar offers, what a request leaves in the log."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

EVERYONE = ["Dashboard", "Carts", "Problems", "Runs"]
BACK_OFFICE = ["Items", "Customers", "Documents", "Stock", "Accounts"]


def sidebar(client):
    groups = client.get(reverse("admin:index")).context["sidebar_navigation"]
    return [item["title"] for group in groups for item in group["items"] if item["has_permission"]]


def test_nobody_gets_in_without_signing_in(client, db):
    answer = client.get("/")
    assert (answer.status_code, answer.url) == (302, "/login/?next=/")


def test_sidebar_offers_everything_to_an_administrator(client, staff):
    client.force_login(staff)
    assert sidebar(client) == [*EVERYONE, *BACK_OFFICE, "Settings", "Users", "Groups"]


def test_sidebar_hides_what_staff_may_not_see(client, db):
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_item"))
    client.force_login(clerk)
    assert sidebar(client) == ["Dashboard", "Items"]


@pytest.mark.parametrize("model", ["user", "group"])
def test_administrators_keep_users_and_groups(client, staff, model):
    client.force_login(staff)
    assert client.get(reverse(f"admin:auth_{model}_changelist")).status_code == 200


def test_a_request_is_logged_without_what_was_searched_for(client, staff, caplog):
    caplog.set_level("INFO", logger="cartsync.requests")
    client.force_login(staff)
    client.get(reverse("admin:auth_user_changelist"), {"q": "buyer@example.test"})
    (line,) = [record.getMessage() for record in caplog.records if record.name == "cartsync.requests"]
    assert line.startswith("GET /auth/user/ 200 ")
    assert line.endswith(f" user={staff.pk}")
