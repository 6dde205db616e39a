"""What the bank says of a customer in id_tokens and UserInfo, where it is asked to be an OpenID provider."""

from books import CUSTOMERS
from oauth2_provider.oauth2_validators import OAuth2Validator


class Validator(OAuth2Validator):
    def get_additional_claims(self):
        return {
            "given_name": lambda request: CUSTOMERS[request.user.get_username()]["name"]["first"],
            "family_name": lambda request: CUSTOMERS[request.user.get_username()]["name"]["last"],
        }
