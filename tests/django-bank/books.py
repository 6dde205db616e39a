"""The bank's customers: made-up people with made-up accounts. And the one app that is registered here."""

from django.contrib.auth import get_user_model
from django.core.management import call_command

PASSWORD = "sandbox"


def account(id, kind, nickname, digits, currency, balance):
    return {
        "accountCategory": "DEPOSIT_ACCOUNT",
        "accountId": id,
        "accountType": kind,
        "nickname": nickname,
        "accountNumberDisplay": f"••••{digits}",
        "currency": currency,
        "status": "OPEN",
        "currentBalance": balance,
    }


CUSTOMERS = {
    "edda": {
        "name": {"first": "Edda", "last": "Marrow"},
        "email": "edda.marrow@mail.example",
        "accounts": [
            account("dj-1001", "CHECKING", "Household", "2207", "EUR", 1843.12),
            account("dj-1002", "SAVINGS", "Boat", "9415", "EUR", 12650.00),
        ],
    },
    "noor": {
        "name": {"first": "Noor", "middle": "A.", "last": "Östervåll"},
        "email": "noor@mail.example",
        "accounts": [account("dj-2001", "CHECKING", "Studio", "0068", "SEK", 40210.50)],
    },
    "pio": {"name": {"first": "Pio", "last": "Ferrant"}, "email": "pio@mail.example", "accounts": []},
}


def transactions(account):
    """Two a day for three days: enough to tell one account's from another's."""
    return [
        {
            "accountId": account["accountId"],
            "transactionId": f"{account['accountId']}-{day}-{number}",
            "transactionTimestamp": f"2026-01-0{day}T0{8 + number}:00:00Z",
            "description": description,
            "debitCreditMemo": memo,
            "amount": amount,
            "currency": account["currency"],
            "status": "POSTED",
        }
        for day in (1, 2, 3)
        for number, (description, memo, amount) in enumerate(
            [("HARBOUR BAKERY", "DEBIT", 4.20 + day), ("LEDGER PRESS SALARY", "CREDIT", 90.00 * day)]
        )
    ]


def open(bank):
    """Makes the tables, the customers and the app, at the first start of a folder."""
    from oauth2_provider.models import Application

    call_command("migrate", run_syncdb=True, verbosity=0)
    if Application.objects.exists():
        return
    for login in CUSTOMERS:
        get_user_model().objects.create_user(login, password=PASSWORD)
    Application.objects.create(
        name="Countersign",
        client_id="countersign",
        client_type=Application.CLIENT_PUBLIC,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        algorithm=Application.RS256_ALGORITHM,
        redirect_uris=f"http://127.0.0.1/callback/{bank} http://[::1]/callback/{bank}",
    )
