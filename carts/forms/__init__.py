from carts.forms.cart import CartForm
from carts.forms.fields import SEARCH, OursField, option
from carts.forms.owners import OwnersForm

__all__ = ["SEARCH", "CartForm", "OursField", "OwnersForm", "option"]
