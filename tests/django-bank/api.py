"""The bank's API, in the shapes of FDX v6. The toolkit itself checks token, scope and revocation."""

import json
import threading

from books import CUSTOMERS, transactions
from django.conf import settings
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET
from oauth2_provider.decorators import protected_resource_metadata

WRITING = threading.Lock()


def note_request(get_response):
    """Keeps what was asked, for those who test: names of form fields and the kind of credential, never a value."""

    def middleware(request):
        response = get_response(request)
        scheme, _, _ = request.headers.get("authorization", "").partition(" ")
        line = {
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "authorization": scheme or None,
            "query": sorted(request.GET),
            "form": sorted(request.POST),
        }
        with WRITING, settings.BANK_REQUESTS.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return response

    return middleware


def operation(pattern, scope, view):
    """A GET for those who may; the customer is the one the token speaks for."""

    def answer(request, **found):
        customer = CUSTOMERS[request.resource_owner.get_username()]
        body = view(customer, **found)
        if body is None:
            return JsonResponse({"code": "701", "message": "Account not found"}, status=404)
        return JsonResponse(body)

    return path(pattern, require_GET(protected_resource_metadata(scopes=[scope])(answer)))


def list_accounts(customer):
    basics = [{key: value for key, value in each.items() if key != "currentBalance"} for each in customer["accounts"]]
    return {"page": {"totalElements": len(basics)}, "accounts": basics}


def find(customer, id):
    return next((each for each in customer["accounts"] if each["accountId"] == id), None)


def get_account(customer, account):
    return find(customer, account)


def list_transactions(customer, account):
    found = find(customer, account)
    return found and {"transactions": transactions(found)}


def get_customer(customer):
    return {
        "customerId": customer["email"].partition("@")[0],
        "name": customer["name"],
        "email": [customer["email"]],
        "accounts": [{"accountId": each["accountId"], "relationship": "PRIMARY"} for each in customer["accounts"]],
    }


urlpatterns = [
    operation("accounts", "fdx:accountbasic:read", list_accounts),
    operation("accounts/<str:account>", "fdx:accountdetailed:read", get_account),
    operation("accounts/<str:account>/transactions", "fdx:transactions:read", list_transactions),
    operation("customers/current", "fdx:customercontact:read", get_customer),
]
