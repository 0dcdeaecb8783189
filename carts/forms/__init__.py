from carts.forms.cart import CartForm
from carts.forms.fields import SEARCH, OursField, option
from carts.forms.lists import ListFilter
from carts.forms.owners import OwnersForm

__all__ = ["SEARCH", "CartForm", "ListFilter", "OursField", "OwnersForm", "option"]
