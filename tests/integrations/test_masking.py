"""What others say, before it reaches a log or a person."""

import pytest

from integrations.masking import harmless


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Mail aiko@example.jp failed", "Mail …@… failed"),
        ("Call +81 90-1234-5678 now", "Call … now"),
        ("card 4242424242424242", "card …"),
        ("duplicates value on record with id: 0015j00000ABCDE", "duplicates value on record with id: 0015j00000ABCDE"),
        ("line\r\none\x00two", "line one two"),
        ("order 12345 is paid", "order 12345 is paid"),
        ("Client Aiko Kanariya of 1-2-3 Kanda, Chiyoda-ku cannot order", "Client … of 1-2-3 … cannot order"),
        ("Client 金糸雀 愛子 cannot order", "Client … cannot order"),
        ("AIKO does not exist", "… does not exist"),
        ("aikoKanariya: invalid", "…: invalid"),
        ("WHMCS_Order_Id__c of OrderItem: STRING_TOO_LONG", "WHMCS_Order_Id__c of OrderItem: STRING_TOO_LONG"),
        ("No such column 'CurrencyIsoCode', nor Pricebook2Id", "No such column 'CurrencyIsoCode', nor Pricebook2Id"),
        ("Amex 378282246310005, call 090.1234.5678", "…, call …"),
        ("Order ID not found or Status not Pending", "Order ID not found or Status not Pending"),
    ],
)
def test_what_may_be_somebodys_goes(said: str, kept: str) -> None:
    assert harmless(said) == kept


def test_it_is_short() -> None:
    assert len(harmless("no " * 1000)) == 160
