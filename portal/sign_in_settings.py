"""Settings of signing in (decisions.md 1, 7); portal/settings.py takes them over."""

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "given_name", "family_name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "accounts.security.passwords.LongestLength"},
    {"NAME": "accounts.security.passwords.HardToGuess"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
ACCOUNT_ADAPTER = "portal.entrance.Entrance"
ACCOUNT_FORMS = {
    "signup": "accounts.forms.SignupForm",
    "login": "accounts.entrance_forms.LoginForm",
    "reset_password": "accounts.entrance_forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.entrance_forms.ResetPasswordKeyForm",
    "change_password": "accounts.entrance_forms.ChangePasswordForm",
    "add_email": "accounts.entrance_forms.AddEmailForm",
    "confirm_email_verification_code": "accounts.entrance_forms.ConfirmCodeForm",
    "reauthenticate": "accounts.entrance_forms.ReauthenticateForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
PASSWORD_RESET_TIMEOUT = 3600
ACCOUNT_PREVENT_ENUMERATION = True
# Beside our own back-off (accounts.security.backoff); what sends e-mails or costs much is also limited by the day.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/ip",
    "signup": "20/m/ip,200/d/ip",
    "reset_password": "20/m/ip,5/h/key",
    "manage_email": "10/m/user,30/d/user",
    "confirm_email": "1/10s/key,10/d/key",  # by the address, whoever asks and whether we know it or not
    "identity_upload": "10/m/user,60/d/user",
    "address_check": "10/m/ip,50/d/ip",  # of visitors; a customer's are counted by catalog.eligibility.asking
    "payment_sso": "10/m/user,60/d/user",
    "data_download": "5/h/user,20/d/user",
    "closing": "6/h/user,20/d/user",  # each makes a Case and a mail
    "keeping": "6/h/user,20/d/user",  # a limit of its own, so that nobody who may ask may not take it back
}
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # here; accounts.security.watching ends the others
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
MFA_ADAPTER = "accounts.adapter.MFAAdapter"
MFA_FORMS = {
    "authenticate": "accounts.entrance_forms.SecondFactorForm",
    "reauthenticate": "accounts.entrance_forms.SecondFactorAgainForm",
    "activate_totp": "accounts.entrance_forms.ActivateAppForm",
    "add_webauthn": "accounts.entrance_forms.AddPasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
