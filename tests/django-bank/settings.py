"""Django and django-oauth-toolkit, set up as a bank for apps on the customer's own computer."""

from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher

MINUTE = 60
DAY = 24 * 60 * MINUTE

SCOPES = {
    "fdx:accountbasic:read": "See your accounts",
    "fdx:accountdetailed:read": "See your balances",
    "fdx:transactions:read": "See your transactions",
    "fdx:customercontact:read": "See your name and contact details",
}


class QuickHasher(PBKDF2PasswordHasher):
    """The one password is in the read-me: a million rounds would protect nothing and cost every test a second."""

    algorithm = "pbkdf2_sandbox"
    iterations = 1000


def make_signing_key():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


def openid(signing_key):
    """OpenID Connect as the toolkit has it; a plain OAuth 2.0 server without."""
    if not signing_key:
        return {}
    return {
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": signing_key,
        "OAUTH2_VALIDATOR_CLASS": "identity.Validator",
    }


def configure(data, port, key, signing_key, asked):
    scopes = SCOPES | ({"openid": "Know who you are", "profile": "Know your name"} if signing_key else {})
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": data / "bank.sqlite",
                "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
            }
        },
        BANK_REQUESTS=data / "requests.jsonl",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        LOGGING_CONFIG=None,
        LOGIN_URL="/sign-in/",
        MIDDLEWARE=[
            "api.note_request",
            "django.middleware.common.CommonMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        # The tables are made from the models at the first start; this bank is never upgraded.
        MIGRATION_MODULES={app: None for app in ("auth", "contenttypes", "sessions", "oauth2_provider")},
        OAUTH2_PROVIDER={
            "SCOPES": scopes,
            **openid(signing_key),
            "ACCESS_TOKEN_EXPIRE_SECONDS": 10 * MINUTE,
            "AUTHORIZATION_CODE_EXPIRE_SECONDS": MINUTE,
            "REFRESH_TOKEN_EXPIRE_SECONDS": 90 * DAY,
            "REFRESH_TOKEN_REUSE_PROTECTION": True,
            "ROTATE_REFRESH_TOKEN": not asked.keep_refresh,
            "PKCE_REQUIRED": True,
            "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
            "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
            "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
            "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
            "COMPLIANT_BCP_RFC9700_PKCE_METHOD": not asked.plain_too,
            "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
        },
        PASSWORD_HASHERS=["settings.QuickHasher"],
        ROOT_URLCONF="urls",
        SECRET_KEY=key,
        # Cookies do not keep ports apart: without the port, two banks on one machine would take each other's.
        CSRF_COOKIE_NAME=f"bank_{port}_csrf",
        SESSION_COOKIE_NAME=f"bank_{port}_session",
        STATIC_URL="/static/",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [Path(__file__).parent / "templates"],
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        USE_TZ=True,
    )
