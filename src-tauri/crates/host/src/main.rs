//! countersignd: the host. Vault, store, keychain, flow and, later, the broker; no webview.

/// Wipes what is freed: HTTP and TLS libraries copy secrets into buffers that are not ours to wipe.
#[global_allocator]
static WIPING: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> std::process::ExitCode {
    host::run()
}
