"""Every field and value of the org that the portal names, in one place (salesforce-org.md §5).

Custom fields stand here so that one test can compare them with the org's own XML. Standard fields, which need no
deploying (Id, Name, AccountId, …), stand where they are used.
"""

PORTAL_REF = "Portal_Ref__c"

# Account
CUSTOMER_NUMBER = "SF_Account_No__c"
WHMCS_CLIENT = "WH_Account__c"
PORTAL_STATUS = "Portal_Status__c"
REGISTRATION_SOURCE = "Portal_Registration_Source__c"
ELIGIBILITY = "Internet_Eligibility__c"
ELIGIBILITY_STATUS = "Internet_Eligibility_Status__c"
ELIGIBILITY_REQUESTED_AT = "Internet_Eligibility_Request_Date_Time__c"
IDENTITY_STATUS = "Id_Verification_Status__c"
IDENTITY_MESSAGE = "Id_Verification_Rejection_Message__c"
IDENTITY_SUBMITTED_AT = "Id_Verification_Submitted_Date_Time__c"

# Order
ACTIVATION_STATUS = "Activation_Status__c"
ACTIVATION_ERROR = "Activation_Error__c"
ACTIVATION_ERROR_AT = "Activation_Error_DateTime__c"
ATTEMPT_COUNT = "Attempt_Count__c"
LAST_PROVISIONING_AT = "Last_Provisioning_At__c"
LAST_IDEM_KEY = "Last_Idem_Key__c"
CORRELATION_ID = "Portal_Correlation_Id__c"
WHMCS_ORDER = "WHMCS_Order_Id__c"
ESIM_ICCID = "ESIM_ICCID__c"

# OrderItem and Product2
BILLING_CYCLE = "Billing_Cycle__c"
CHOSEN_OPTIONS = "ConfigOptions_JSON__c"
WHMCS_SERVICE = "WHMCS_Service_ID__c"  # text on OrderItem, a number on Opportunity
ITEM_CLASS = "Item_Class__c"
CATEGORY = "Product2Categories1__c"
WHMCS_PRODUCT = "WHMCS_Product_Id__c"
IN_CATALOGUE = "Portal_Catalog__c"
ATTRIBUTES = "Portal_Attributes_JSON__c"
PRODUCT_FIELDS = (
    "StockKeepingUnit",
    "Name",
    "Description",
    "IsActive",
    BILLING_CYCLE,
    ITEM_CLASS,
    CATEGORY,
    WHMCS_PRODUCT,
    "Portal_Accessible__c",
    "Portal_Activation_SKU__c",
    ATTRIBUTES,
    "Portal_ConfigOptions_JSON__c",
    "Portal_Description_JA__c",
    "Portal_Display_Order__c",
    "Portal_Eligibility_Values__c",
    "Portal_Identity__c",
    "Portal_Name_JA__c",
)

# Opportunity
PORTAL_SOURCE = "Portal_Source__c"

# Values
ACTIVATING, PROVISIONED, FAILED = "Activating", "Provisioned", "Failed"
PENDING_REVIEW, APPROVED, ACTIVATED = "Pending Review", "Approved", "Activated"
DRAFT, CANCELLED = "Draft", "Cancelled"
IN_REVIEW = (DRAFT, PENDING_REVIEW)  # nobody has approved it; support puts an order back to Draft to change it
PORTAL_ACTIVE = "Active"
PORTAL_CLOSED = "Inactive"  # no sign-in, and never Active again by the portal (decisions.md 6)
IDENTITY_PENDING, IDENTITY_VERIFIED, IDENTITY_REJECTED = "Pending", "Verified", "Rejected"
STAGE_INTRODUCTION, STAGE_READY, STAGE_POST_PROCESSING = "Introduction", "Ready", "Post Processing"
STAGE_ACTIVE, STAGE_VOID = "Active", "Void"
SOURCE_ORDER, SOURCE_ELIGIBILITY = "Portal - Order Placement", "Portal - Internet Eligibility Request"
CASE_ORIGIN = "Portal"
CASE_ELIGIBILITY = "Eligibility Check"
ELIGIBILITY_PENDING = "Pending"
HOME_INTERNET = "Personal SonixNet Home Internet"
PERSONAL, CORPORATE = "Personal ", "Corporate "  # what the two home-internet commodities begin with
YEN = "JPY"
LONGEST_ERROR = 255
