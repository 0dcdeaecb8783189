from django.apps import AppConfig


class CartsConfig(AppConfig):
    name = "carts"
    verbose_name = "Carts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from carts import gateway
        from carts.services import marks, pairs

        gateway.on_stock_changed(marks.on_stock_changed)
        gateway.on_records_changed(pairs.on_records_changed)
