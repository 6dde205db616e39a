//! What the profile that is built in says; its faults are rows of tests/tables/provider_files.jsonl.

use super::*;

const FDX: &str = include_str!("../../../oauth/providers/profiles/fdx-v6.toml");

#[test]
fn the_fdx_profile_is_sound() {
    let profile = Profile::parse(FDX).unwrap();
    assert_eq!(profile.permissions.len(), 6);
    let money: Vec<_> = profile.permissions.iter().filter(|p| p.risk == Risk::Money).collect();
    assert_eq!(money.len(), 1);
}

#[test]
fn scopes_turn_into_permissions_and_back() {
    let profile = Profile::parse(FDX).unwrap();
    let (known, unknown) =
        profile.permissions_of(["fdx:transactions:read", "openid", "FDX:transactions:read"].into_iter());
    assert_eq!(known.iter().map(PermissionId::as_str).collect::<Vec<_>>(), ["transactions"]);
    assert_eq!(unknown, ["openid", "FDX:transactions:read"], "scopes are case-sensitive (RFC 6749 §3.3)");
}
