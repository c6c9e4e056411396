"""What the portal asks of Salesforce, one typed method each, over simple-salesforce in direct mode."""

from integrations.salesforce.accounts import AccountCalls
from integrations.salesforce.cancelling import CancellingCalls
from integrations.salesforce.eligibility import EligibilityCalls
from integrations.salesforce.identity import IdentityCalls
from integrations.salesforce.orders import OrderCalls
from integrations.salesforce.products import CatalogueCalls
from integrations.salesforce.provisioning import ProvisioningCalls


class SalesforceClient(
    IdentityCalls, AccountCalls, CancellingCalls, CatalogueCalls, EligibilityCalls, OrderCalls, ProvisioningCalls
):
    """The CRM. Safe to share between threads; none of its methods may be called in a database transaction.

    Every call has a total deadline. Every method raises, from integrations.errors: Misconfigured (with a sentence that
    says what to do), Unavailable (nothing was done: `sf_limit`, `row_locked`, `timeout`, …), Rejected (the code is
    Salesforce's errorCode in lower case unless the method says otherwise), and those that write and are not called
    repeatable UnknownOutcome when something was sent and no usable answer came.
    """
