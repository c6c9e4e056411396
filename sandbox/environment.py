"""What the portal's environment has to say so that it talks to this sandbox (the names of .env.example)."""

from collections.abc import Mapping


def portal_environment(ready: Mapping[str, str]) -> dict[str, str]:
    """`ready` is the line that `python -m sandbox` prints, as a mapping."""
    return {
        "SF_LOGIN_URL": ready["salesforce_url"],
        "SF_AUDIENCE": "https://login.salesforce.com",
        "SF_INSTANCE_HOSTS": "localhost",
        "SF_CLIENT_ID": ready["salesforce_client_id"],
        "SF_USERNAME": ready["salesforce_username"],
        "SF_PRIVATE_KEY_PATH": ready["salesforce_key"],
        "SF_CA_BUNDLE": ready["ca"],
        "SF_PUBSUB_ENDPOINT": ready["pubsub_endpoint"],
        "WHMCS_API_URL": f"{ready['whmcs_url']}/includes/api.php",
        "WHMCS_API_IDENTIFIER": ready["whmcs_identifier"],
        "WHMCS_API_SECRET": ready["whmcs_secret"],
        "WHMCS_CA_BUNDLE": ready["ca"],
        "WHMCS_PAYMENT_METHOD": ready["whmcs_payment_method"],
        "WHMCS_CUSTOMER_NUMBER_FIELD_ID": str(ready["whmcs_customer_number_field_id"]),
        "WHMCS_SSO_ORIGINS": ready["people_url"],
        "ESIM_API_URL": ready["esim_url"],
        "ESIM_API_KEY": ready["esim_key"],
        "ESIM_CA_BUNDLE": ready["ca"],
        "EMAIL_URL": f"smtp://{ready['smtp']}",
    }
