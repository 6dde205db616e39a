//! Which machines an address may lead to; the spellings are rows of tests/tables/addresses.jsonl.

use super::*;

#[test]
fn addresses_of_this_computer_are_for_the_sandbox_only() {
    for text in ["http://127.0.0.1:4000/token", "http://[::1]:4000/token", "https://127.0.0.1/token"] {
        assert!(Endpoint::parse(text, AddressRule::DangerLoopback).is_ok(), "{text}");
        assert!(Endpoint::parse(text, AddressRule::Public).is_err(), "{text}");
    }
    for text in
        ["http://localhost:4000/", "http://10.0.0.1/", "http://bank.example/", "http://127.0.0.1.evil.test/"]
    {
        assert!(Endpoint::parse(text, AddressRule::DangerLoopback).is_err(), "{text}");
    }
}

/// The first and last address of each block, and its neighbours outside.
#[test]
fn blocks_begin_and_end_where_the_registries_say() {
    for (first, last) in [
        ("0.0.0.0", "0.255.255.255"),
        ("10.0.0.0", "10.255.255.255"),
        ("100.64.0.0", "100.127.255.255"),
        ("127.0.0.0", "127.255.255.255"),
        ("169.254.0.0", "169.254.255.255"),
        ("172.16.0.0", "172.31.255.255"),
        ("192.0.0.0", "192.0.0.255"),
        ("192.0.2.0", "192.0.2.255"),
        ("192.88.99.0", "192.88.99.255"),
        ("192.168.0.0", "192.168.255.255"),
        ("198.18.0.0", "198.19.255.255"),
        ("198.51.100.0", "198.51.100.255"),
        ("203.0.113.0", "203.0.113.255"),
    ] {
        let (first, last): (std::net::Ipv4Addr, std::net::Ipv4Addr) =
            (first.parse().unwrap(), last.parse().unwrap());
        let near = |ip: std::net::Ipv4Addr, step: i64| {
            let bits = u32::try_from(i64::from(ip.to_bits()) + step).ok()?;
            Some(IpAddr::V4(bits.into()))
        };
        assert!(!is_public(first.into()) && !is_public(last.into()), "{first}");
        assert!(near(first, -1).is_none_or(is_public), "before {first}");
        assert!(near(last, 1).is_none_or(is_public), "after {last}");
    }
    assert!(!is_public("224.0.0.0".parse().unwrap()) && is_public("223.255.255.255".parse().unwrap()));
    for (first, last) in [
        ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ] {
        let (first, last): (std::net::Ipv6Addr, std::net::Ipv6Addr) =
            (first.parse().unwrap(), last.parse().unwrap());
        assert!(!is_public(first.into()) && !is_public(last.into()), "{first}");
        assert!(is_public(IpAddr::V6((first.to_bits() - 1).into())), "before {first}");
        assert!(is_public(IpAddr::V6((last.to_bits() + 1).into())), "after {last}");
    }
    for (text, public) in [
        ("1fff:ffff::1", false),
        ("2000::1", true),
        ("3ffe:ffff::1", true),
        ("3fff::1", false),
        ("3fff:fff:ffff::1", false),
        ("3fff:1000::1", true),
        ("4000::1", false),
    ] {
        assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
    }
}
