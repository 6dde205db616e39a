//! Memory for keys: a page for each, never written to a swap file, left out of core files and of the copy that a new
//! process begins as.
#![cfg_attr(
    unix,
    expect(unsafe_code, reason = "no safe call gives a page that can be locked for one key alone")
)]

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::secret::KeyEncryptionKey;

/// Memory of this machine for keys that are kept.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    told: AtomicBool,
}

impl app::port::Memory for Memory {
    /// Moves a key to memory of its own. Where the system refuses to lock it, that is logged once; the key is kept all
    /// the same.
    fn shield(&self, key: KeyEncryptionKey) -> KeyEncryptionKey {
        let (key, outcome) = shielded(key);
        if let Err(error) = outcome
            && !self.told.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, "the system does not lock memory: a swap file may come to hold a key");
        }
        key
    }
}

/// The key in its page, and whether the page has all that was asked for it.
#[cfg(unix)]
fn shielded(key: KeyEncryptionKey) -> (KeyEncryptionKey, io::Result<()>) {
    match page::Page::map() {
        Ok(mut page) => {
            // First the lock: the key is never in memory that might be written elsewhere.
            let outcome = page.lock();
            page.write(key.expose_bytes());
            (KeyEncryptionKey::in_place(Box::new(page)), outcome)
        }
        Err(error) => (key, Err(error)),
    }
}

/// The key where it is; not run here.
#[cfg(not(unix))]
fn shielded(key: KeyEncryptionKey) -> (KeyEncryptionKey, io::Result<()>) {
    (key, Err(io::ErrorKind::Unsupported.into()))
}

#[cfg(unix)]
mod page {
    use std::io;
    use std::ptr::{NonNull, null_mut};

    use domain::secret::KeyPlace;
    use rustix::mm::{MapFlags, ProtFlags, mlock, mmap_anonymous, munmap};
    use zeroize::{Zeroize as _, ZeroizeOnDrop};

    /// Bytes of a key.
    const KEY: usize = 32;

    /// A page of its own for one key, so that unlocking it unlocks no other.
    pub(super) struct Page(NonNull<[u8; KEY]>);

    // SAFETY: the page belongs to this value alone, and nothing about it is tied to a thread.
    unsafe impl Send for Page {}
    // SAFETY: through a shared reference the page is only read.
    unsafe impl Sync for Page {}

    impl Page {
        /// A fresh page, all zero.
        pub(super) fn map() -> io::Result<Self> {
            let (protection, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
            // SAFETY: a new mapping where the kernel chooses overlaps nothing that is there.
            let at = unsafe { mmap_anonymous(null_mut(), KEY, protection, flags) }?;
            NonNull::new(at.cast()).map(Self).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
        }

        /// Keeps the page out of swap files, core files and forked processes. What one of these is refused, the others
        /// are asked for all the same.
        pub(super) fn lock(&self) -> io::Result<()> {
            // SAFETY: the range is our own page, which stays mapped while `self` lives.
            let locked = unsafe { mlock(self.0.as_ptr().cast(), KEY) };
            self.advise()?;
            Ok(locked?)
        }

        #[cfg(target_os = "linux")]
        fn advise(&self) -> io::Result<()> {
            use rustix::mm::{Advice, madvise};
            for advice in [Advice::LinuxDontDump, Advice::LinuxDontFork] {
                // SAFETY: the range is our own page. Neither advice changes what this process reads from it; a forked
                // one does not have it, and none of ours does more than start a program.
                unsafe { madvise(self.0.as_ptr().cast(), KEY, advice) }?;
            }
            Ok(())
        }

        #[cfg(not(target_os = "linux"))]
        fn advise(&self) -> io::Result<()> {
            Ok(())
        }

        /// Puts a key into the page.
        pub(super) fn write(&mut self, key: &[u8; KEY]) {
            // SAFETY: mapped, writable, as long as a key and aligned (any address is, for bytes); borrowed by nobody else.
            unsafe { self.0.as_mut() }.copy_from_slice(key);
        }
    }

    impl KeyPlace for Page {
        fn expose_bytes(&self) -> &[u8; KEY] {
            // SAFETY: mapped, readable and initialised by the kernel; nobody writes while it is borrowed.
            unsafe { self.0.as_ref() }
        }
    }

    impl ZeroizeOnDrop for Page {}

    impl Drop for Page {
        fn drop(&mut self) {
            // SAFETY: as in `write`.
            unsafe { self.0.as_mut() }.zeroize();
            // SAFETY: made by `map`, unmapped once, and no reference outlives the value. A mapping that does not go is
            // empty by now.
            let _ = unsafe { munmap(self.0.as_ptr().cast(), KEY) };
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
