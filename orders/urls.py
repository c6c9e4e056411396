from django.urls import path, register_converter

from orders import shopping, views


class OrderNumber:
    """SX-4827-193, read out loud or typed in either case."""

    regex = r"[A-Za-z]{2,3}-[0-9]{4}-[0-9]{3}"

    def to_python(self, value: str) -> str:
        return value.upper()

    def to_url(self, value: str) -> str:
        return value


class SalesforceOrderId:
    """15 or 18 characters that begin with the key prefix of Order."""

    regex = r"801[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(OrderNumber, "order_number")
register_converter(SalesforceOrderId, "sf_order_id")

urlpatterns = [
    path("cart/", shopping.cart, name="cart"),
    path("cart/add/", shopping.cart_add, name="cart_add"),
    path("cart/lines/<int:line_id>/", shopping.cart_line, name="cart_line"),
    path("checkout/", shopping.checkout, name="checkout"),
    path("checkout/review/", shopping.review, name="review"),
    path("orders/", views.orders, name="orders"),
    path("orders/placed/<uuid:submission>/", shopping.placed, name="placed"),
    path("orders/<order_number:number>/", views.order, name="order"),
    path("orders/<order_number:number>/agreement/", shopping.agreement, name="agreement"),
    path("orders/<order_number:number>/status/", views.order_status, name="order_status"),
    path("orders/<order_number:number>/cancel/", views.order_cancel, name="order_cancel"),
    path("orders/<sf_order_id:sf_order_id>/", views.order_by_sf_id, name="order_by_sf_id"),
    path("orders/<sf_order_id:sf_order_id>", views.order_by_sf_id),
]
