from tests.catalog.goods import shop

__all__ = ["shop"]
