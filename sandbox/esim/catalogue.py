"""What the provider sells: plans for lines and packages of data on top."""

from dataclasses import dataclass

GIGABYTE = 1_000_000_000


@dataclass(frozen=True)
class Plan:
    """A line's allowance per month, in bytes."""

    code: str
    name: str
    bytes_total: int


@dataclass(frozen=True)
class Package:
    """Data bought on top of a plan, in bytes, and what the provider charges for it in whole yen."""

    code: str
    name: str
    bytes_added: int
    price_jpy: int


PLANS = {
    plan.code: plan
    for plan in (
        Plan("data-3", "Data 3 GB", 3 * GIGABYTE),
        Plan("data-5", "Data 5 GB", 5 * GIGABYTE),
        Plan("data-10", "Data 10 GB", 10 * GIGABYTE),
        Plan("data-20", "Data 20 GB", 20 * GIGABYTE),
        Plan("data-25", "Data 25 GB", 25 * GIGABYTE),
        Plan("data-50", "Data 50 GB", 50 * GIGABYTE),
    )
}
PACKAGES = {
    package.code: package
    for package in (
        Package("top-1", "1 GB", GIGABYTE, 550),
        Package("top-5", "5 GB", 5 * GIGABYTE, 2200),
        Package("top-10", "10 GB", 10 * GIGABYTE, 3850),
    )
}
