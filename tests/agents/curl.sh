#!/bin/bash
# What an agent does with curl: ./curl.sh GRANT. curl speaks to the socket; countersign-agent holds the key.
set -euo pipefail
endpoint="${COUNTERSIGN_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/countersign}/endpoint.json"
field() { sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p"; }
socket=$(field socket < "$endpoint")
issuer=$(field issuer < "$endpoint")
ask() { curl --silent --show-error --fail-with-body --unix-socket "$socket" "$@"; }

ask "$issuer/.well-known/oauth-authorization-server" > /dev/null
ask --header "DPoP: $(countersign-agent proof GET /grants)" "$issuer/grants"

lease=$(countersign-agent token --grant "$1" --purpose "See what there is" --actions list_accounts | field access_token)
path="/call/$1/accounts"
proof=$(countersign-agent proof GET "$path" --lease <<< "$lease")
# The headers come by standard input, so that no list of processes shows the lease.
printf 'Authorization: DPoP %s\nDPoP: %s\n' "$lease" "$proof" | ask --header @- "$issuer$path"

proof=$(countersign-agent proof POST /revoke)
printf 'token=%s' "$lease" | ask --header "DPoP: $proof" --data @- "$issuer/revoke"
