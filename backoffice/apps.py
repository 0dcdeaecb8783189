from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BackofficeConfig(AppConfig):
    name = "backoffice"
    verbose_name = "Back office"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from backoffice import telling
        from backoffice.services.defaults import ensure_chart

        telling.connect()
        post_migrate.connect(ensure_chart, sender=self, dispatch_uid="backoffice.chart")
