from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from carts.services import platform_facts


class Command(BaseCommand):
    help = "Write the table of platforms in README.md anew, from the adapters' own Capabilities (make readme)."

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.BASE_DIR) / "README.md"
        path.write_text(platform_facts.with_table(path.read_text()))
        self.stdout.write(f"{path.name}: the table of platforms is up to date.")
