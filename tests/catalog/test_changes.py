"""Between whole runs only what changed is read; what a list of changes cannot tell, the whole run finds."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connections
from django.utils import timezone

from catalog import jobs
from catalog.models import CatalogSync
from catalog.queries import shelf, sound, version
from catalog.sync import AlreadyRunning, sync
from integrations.errors import Misconfigured, Unavailable
from integrations.failpoints import Died, arm
from tests.catalog.goods import Shop, products


def skus(category: str) -> list[str]:
    return [plan.sku for plan in shelf(category).plans]


def test_after_a_whole_run_only_changes_are_read(shop: Shop) -> None:
    shop.edit("VPN-US", price=Decimal("660"))
    report = sync(full=False)
    assert shop.reads == ["whole", "changes"]
    assert report.changed == {"VPN-US": ["price"]}
    assert report.unchanged == len(shop.records) - 1
    assert products()["VPN-US"].price == 660


def test_what_leaves_the_catalogue_is_withdrawn_by_a_run_of_changes(shop: Shop) -> None:
    shop.drop("VPN-UK")
    assert sync(full=False).withdrawn == ["VPN-UK"]
    assert skus("VPN") == ["VPN-US"]
    assert sync(full=False).withdrawn == [], "told again because of the overlap, withdrawn once"


def test_what_comes_back_is_on_sale_again(shop: Shop) -> None:
    shop.drop("VPN-UK")
    sync(full=False)
    shop.records = Shop().records
    shop.edit("VPN-UK", price=Decimal("605"))
    assert "VPN-UK" in sync(full=False).changed
    assert skus("VPN") == ["VPN-US", "VPN-UK"]


def test_a_change_judges_the_products_that_did_not_change_anew(shop: Shop) -> None:
    shop.edit("ACT-VPN", price=Decimal("0.5"))
    assert set(sync(full=False).broken) == {"ACT-VPN", "VPN-US", "VPN-UK"}
    assert skus("VPN") == []
    shop.edit("ACT-VPN", price=Decimal("0"))
    assert sync(full=False).broken == {}
    assert skus("VPN") == ["VPN-US", "VPN-UK"]


def test_a_fault_of_its_own_stays_while_others_change(shop: Shop) -> None:
    shop.edit("VPN-UK", WHMCS_Product_Id__c="none")
    sync(full=False)
    shop.edit("VPN-US", price=Decimal("660"))
    assert list(sync(full=False).broken) == ["VPN-UK"]
    assert skus("VPN") == ["VPN-US"]


def test_a_sku_held_twice_is_noticed_by_a_run_of_changes(shop: Shop) -> None:
    shop.edit("VPN-UK", StockKeepingUnit="VPN-US")
    assert "belongs to 2 products" in sync(full=False).broken["VPN-US"][0]
    assert skus("VPN") == []


def test_a_deleted_product_is_noticed_by_the_next_whole_run(shop: Shop) -> None:
    shop.delete("VPN-UK")
    assert sync(full=False).withdrawn == []
    CatalogSync.objects.update(started_at=timezone.now() - timedelta(hours=1, seconds=1))
    assert sync(full=False).withdrawn == ["VPN-UK"]
    assert shop.reads[-1] == "whole"


def test_changes_are_asked_for_a_minute_longer_than_known(shop: Shop) -> None:
    shop.edit("VPN-US", price=Decimal("660"))
    sync(full=False)
    late = next(each for each in shop.records if each.fields["StockKeepingUnit"] == "VPN-UK")
    shop.edit("VPN-UK", price=Decimal("605"))
    shop.records = [
        type(each)(
            each.id,
            each.fields,
            each.pricebook_entry_id,
            each.unit_price,
            shop.clock - timedelta(minutes=10, seconds=50),
        )
        if each.id == late.id
        else each
        for each in shop.records
    ]
    assert sync(full=False).changed == {"VPN-UK": ["price"]}, "it was committed after a newer one had been read"


def test_after_a_failed_run_the_whole_is_read(shop: Shop) -> None:
    shop.error = Unavailable("salesforce", "catalogue", "timeout")
    with pytest.raises(Unavailable):
        sync(full=False)
    shop.error = None
    sync(full=False)
    sync(full=False)
    assert shop.reads == ["whole", "changes", "whole", "changes"]


def test_changes_that_salesforce_refuses_to_tell_are_read_with_the_whole(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_args: object, **_kwargs: object) -> None:
        raise Misconfigured("salesforce", "catalogue_changes", "invalid_field")

    monkeypatch.setattr(shop, "catalogue_changes", refused)
    shop.edit("VPN-US", price=Decimal("660"))
    assert sync(full=False).changed == {"VPN-US": ["price"]}


def test_more_changes_than_one_query_names_are_read_with_the_whole(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop, "catalogue_changes", lambda *_args, **_kwargs: None)
    shop.delete("VPN-UK")
    assert sync(full=False).withdrawn == ["VPN-UK"]


def test_a_run_without_changes_keeps_its_place_and_the_pages(shop: Shop) -> None:
    before = version()
    sync(full=False)
    first, second = CatalogSync.objects.all()
    assert (first.kind, first.seen_until) == ("changes", second.seen_until)
    assert version() == before


def test_runs_that_changed_nothing_are_forgotten_after_a_week(shop: Shop) -> None:
    quiet, telling = (
        CatalogSync.objects.create(started_at=timezone.now() - timedelta(days=8), ok=True, changed=changed)
        for changed in (False, True)
    )
    sync()
    assert not CatalogSync.objects.filter(pk=quiet.pk).exists()
    assert CatalogSync.objects.filter(pk=telling.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_two_processes_never_read_the_catalogue_at_once(shop: Shop) -> None:
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended('round:catalog.mirror', 0))")
        with pytest.raises(AlreadyRunning):
            sync()
        jobs.sync()
        assert CatalogSync.objects.count() == 1, "the fixture's run alone"
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended('round:catalog.mirror', 0))")
    finally:
        other.close()
    sync()
    assert CatalogSync.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_crash_before_the_commit_changes_neither_the_mirror_nor_the_pages(shop: Shop) -> None:
    shop.edit("VPN-US", price=Decimal("660"))
    before, seen = list(sound().values()), version()
    with arm("catalog.sync:before=raise"), pytest.raises(Died):
        sync()
    assert (list(sound().values()), version()) == (before, seen)
    sync()
    assert products()["VPN-US"].price == 660
    assert version() > seen
