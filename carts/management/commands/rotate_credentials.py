from typing import Any

from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError

from carts import secrets
from carts.models import Cart


class Command(BaseCommand):
    help = "Encrypt every cart's credentials anew with the first key of CREDENTIALS_KEY."

    def handle(self, *args: Any, **options: Any) -> None:
        done, unreadable = 0, []
        for cart_id, name, token in Cart.objects.exclude(credentials="").values_list("pk", "name", "credentials"):
            try:
                resealed = secrets.reseal(token)
            except InvalidToken:
                unreadable.append(name)
                continue
            # Conditional: credentials entered while this runs are under the first key already, and must stay.
            done += Cart.objects.filter(pk=cart_id, credentials=token).update(credentials=resealed)
        self.stdout.write(f"The credentials of {done} carts are under the first key now.")
        if unreadable:
            raise CommandError(
                f"No key of CREDENTIALS_KEY fits the credentials of: {', '.join(unreadable)}. Put back the key they "
                "were saved with and run this again, or enter them anew; drop no key until then."
            )
