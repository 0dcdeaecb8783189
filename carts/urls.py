from django.urls import path

from carts.views import cart_list, cart_page, facts, find, live_lists, own_lists, owners, problems, running, runs

app_name = "carts"
urlpatterns = [
    path("", cart_list.index, name="list"),
    path("add/", cart_page.add, name="add"),
    path("problems/", problems.index, name="problems"),
    path("problems/answer/", problems.answer, name="answer"),
    path("problems/stock/<int:pk>/", problems.unsent, name="unsent"),
    path("problems/<int:pk>/", problems.show, name="problem"),
    path("runs/", runs.index, name="runs"),
    path("runs/<int:pk>/", runs.show, name="run"),
    path("runs/<int:pk>/stop/", runs.stop, name="run_stop"),
    path("runs/<int:pk>/retry/", runs.retry, name="run_retry"),
    path("settings/", facts.show, name="settings"),
    path("find/<str:kind>/", find.find, name="find"),
    path("<int:pk>/", cart_page.show, name="cart"),
    path("<int:pk>/state/", cart_page.state_line, name="state"),
    path("<int:pk>/test/", cart_page.test, name="test"),
    path("<int:pk>/start/", running.start, name="start"),
    path("<int:pk>/stop/", running.stop, name="stop"),
    path("<int:pk>/rehearse/", running.rehearse, name="rehearse"),
    path("<int:pk>/rehearse-to-cart/", running.rehearse_to_cart, name="rehearse_to"),
    path("<int:pk>/orders/", own_lists.orders, name="orders"),
    path("<int:pk>/items/", own_lists.items, name="items"),
    path("<int:pk>/customers/", own_lists.customers, name="customers"),
    path("<int:pk>/cart-orders/", live_lists.orders, name="cart_orders"),
    path("<int:pk>/cart-items/", live_lists.items, name="cart_items"),
    path("<int:pk>/cart-customers/", live_lists.customers, name="cart_customers"),
    path("<int:pk>/export/", own_lists.export_selected, name="export"),
    path("<int:pk>/owners/", owners.show, name="owners"),
    path("problems/conflict/<int:pk>/", problems.conflict, name="conflict"),
    path("<int:pk>/import/", live_lists.import_selected, name="import"),
]
