"""How the installation bills where documentation is silent or installs differ (whmcs-wire §8)."""

from dataclasses import dataclass, field


@dataclass
class Gateway:
    """An active payment module."""

    module: str
    displayname: str


@dataclass
class BillingSwitches:
    """Switches of gateways, tax and automation."""

    gateways: list[Gateway] = field(default_factory=lambda: [Gateway("stripe", "Credit Card")])
