"""Customers over the API."""


def test_a_new_customer(place, call):
    sent = {"email": "new@example.test", "first_name": "Zoë", "billing": {"city": "Town", "phone": "1"}}
    answer = call("POST", "customers", json=sent)
    body = answer.json()
    assert answer.status_code == 201
    assert (body["email"], body["first_name"], body["role"]) == ("new@example.test", "Zoë", "customer")
    assert (body["billing"]["city"], body["billing"]["phone"], body["shipping"]["city"]) == ("Town", "1", "")
    assert call.get(f"customers/{body['id']}") == body


def test_an_email_belongs_to_one_customer(place, call):
    count = len(place.shop.customers.rows)
    answer = call("POST", "customers", json={"email": "Customer1@example.test"})
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "registration-error-email-exists",
        "message": "An account is already registered with Customer1@example.test. "
        "Please log in or use a different email address.",
        "data": {"status": 400},
    }
    assert len(place.shop.customers.rows) == count


def test_an_email_is_needed(place, call):
    answer = call("POST", "customers", json={"first_name": "Nobody"})
    assert (answer.status_code, answer.json()["code"]) == (400, "rest_missing_callback_param")


def test_any_save_moves_the_date_and_keeps_what_is_not_named(place, call):
    customer = place.shop.customer_by_email("customer1@example.test")
    body = call("PUT", f"customers/{customer.id}", json={"billing": {"company": "Works"}}).json()
    assert body["date_modified_gmt"] == "2026-11-23T17:00:00"
    assert (body["billing"]["company"], body["billing"]["address_1"]) == ("Works", "1 Example St")


def test_an_email_of_another_is_refused(place, call):
    customer = place.shop.customer_by_email("customer1@example.test")
    answer = call("PUT", f"customers/{customer.id}", json={"email": "customer2@example.test"})
    assert (answer.status_code, customer.email) == (400, "customer1@example.test")


def test_delete_needs_force(place, call):
    customer = place.shop.customer_by_email("customer1@example.test")
    order = place.shop.place_order(customer_id=customer.id)
    refused = call("DELETE", f"customers/{customer.id}")
    assert (refused.status_code, refused.json()["code"]) == (501, "woocommerce_rest_trash_not_supported")
    assert customer.id in place.shop.customers.rows
    assert call("DELETE", f"customers/{customer.id}", force="true").status_code == 200
    assert call("GET", f"customers/{customer.id}").status_code == 404
    assert call.get(f"orders/{order.id}")["customer_id"] == 0


def test_the_administrator_never_saved_has_no_modified_time(place, call):
    row = call.get("customers", role="administrator")[0]
    assert (row["date_modified"], row["date_modified_gmt"]) == (None, None)
