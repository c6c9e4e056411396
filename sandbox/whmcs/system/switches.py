"""The installation's configuration as administrators set it."""

from dataclasses import dataclass, field

from sandbox.whmcs.about import about


def _configuration() -> dict[str, str]:
    return {
        "CompanyName": "Sonix Billing",
        "Email": "billing@whmcs.example",
        "Domain": "https://whmcs.example",
        "SystemURL": "https://whmcs.example/",
        "Charset": "utf-8",
        "DateFormat": "YYYY-MM-DD",
        "DefaultCountry": "JP",
        "Language": "english",
        "Template": "twenty-one",
        "MaintenanceMode": "",
        "AllowRegister": "",
    }


@dataclass
class SystemSwitches:
    """Switches of the installation as a whole."""

    configuration: dict[str, str] = field(
        default_factory=_configuration, metadata=about("What GetConfigurationValue knows, by WHMCS's own names.")
    )
    admin_notes: str = field(default="", metadata=about("Notes of the administrator behind the API."))
    disabled_mail_templates: list[str] = field(
        default_factory=list, metadata=about("Names of e-mail templates that an administrator switched off.")
    )
    cc_encryption_hash: str = field(
        default="sandbox-encryption-hash", metadata=about("What EncryptPassword makes its key of.")
    )
