"""What the org allows in a day or an hour, and how much of it is used (salesforce-wire.md, section 3.5)."""

from datetime import timedelta

from sandbox.ledger import Wanted
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest.calls import Answer, Call

# Enough for a load test in a day; an Unlimited org of some size has as many.
DAILY_REQUESTS = 5_000_000
_DAILY_EVENTS = 50_000
_STORAGE_MB = 10_240
# What the platform charges for a record, whatever it holds.
_KB_PER_RECORD = 2
_KB_PER_MB = 1024
# Of features that the sandbox has not, so that nothing uses them up.
_UNUSED = {
    "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentSyncReportRuns": 20,
    "DailyAsyncApexExecutions": 250_000,
    "DailyBulkApiBatches": 15_000,
    "DailyBulkV2QueryFileStorageMB": 976_562,
    "DailyBulkV2QueryJobs": 10_000,
    "DailyDurableGenericStreamingApiEvents": 1_000_000,
    "DailyDurableStreamingApiEvents": 1_000_000,
    "DailyGenericStreamingApiEvents": 10_000,
    "DailyStandardVolumePlatformEvents": 25_000,
    "DailyStreamingApiEvents": 1_000_000,
    "DailyWorkflowEmails": 100_000,
    "DurableStreamingApiConcurrentClients": 1_000,
    "HourlyAsyncReportRuns": 1_200,
    "HourlyPublishedStandardVolumePlatformEvents": 1_000,
    "HourlySyncReportRuns": 500,
    "HourlyTimeBasedWorkflow": 1_000,
    "MassEmail": 5_000,
    "SingleEmail": 5_000,
    "StreamingApiConcurrentClients": 1_000,
}


class Limits:
    """Counts calls, and what else the org's ledger and records tell of its use."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._day = ""
        self._used = 0

    @property
    def usage(self) -> str:
        """The calls of the day, as the header `Sforce-Limit-Info` tells them."""
        return f"api-usage={self._used}/{DAILY_REQUESTS}"

    def count(self, calls: int) -> None:
        """So many more calls were made."""
        today = f"{self._org.clock.now():%Y-%m-%d}"
        if today != self._day:
            self._day, self._used = today, 0
        self._used += calls

    def show(self, _: Call) -> Answer:
        """GET limits"""
        # One subscriber takes every event once, so what was published is what was delivered.
        used = {
            "DailyApiRequests": (DAILY_REQUESTS, self._used),
            "DailyDeliveredPlatformEvents": (_DAILY_EVENTS, self._published(timedelta(days=1))),
            "HourlyPublishedPlatformEvents": (_DAILY_EVENTS, self._published(timedelta(hours=1))),
            "MonthlyPlatformEventsUsageEntitlement": (_DAILY_EVENTS * 30, self._published(timedelta(days=30))),
            "DataStorageMB": (_STORAGE_MB, self._data_mb()),
            "FileStorageMB": (_STORAGE_MB, self._org.contents.size // (_KB_PER_MB * _KB_PER_MB)),
            **{name: (most, 0) for name, most in _UNUSED.items()},
        }
        return Answer(200, {name: _limit(*used[name]) for name in sorted(used)})

    def _published(self, within: timedelta) -> int:
        since = self._org.clock.now() - within
        return self._org.ledger.count(Wanted("salesforce", "event.publish", since=since))

    def _data_mb(self) -> int:
        records = sum(len(self._org.table(each.name)) for each in self._org.schema if not each.event)
        return records * _KB_PER_RECORD // _KB_PER_MB


def _limit(most: int, used: int) -> dict[str, int]:
    return {"Max": most, "Remaining": max(0, most - used)}
