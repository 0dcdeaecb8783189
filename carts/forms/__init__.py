from carts.forms.cart import CartForm
from carts.forms.fields import SEARCH, OursField, option

__all__ = ["SEARCH", "CartForm", "OursField", "option"]
