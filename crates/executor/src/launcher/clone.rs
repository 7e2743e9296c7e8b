//! The raw clone that makes an init, and waiting for it by descriptor.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::init::{self, InitPlan};

/// A cloned init.
pub(crate) struct Init {
    /// Readable once init, and with it every process below it, is gone.
    pub pidfd: OwnedFd,
}

/// Clones the calling thread into an init that follows `plan`.
pub(crate) fn spawn_init(plan: &InitPlan<'_>) -> io::Result<Init> {
    let mut pidfd: libc::c_int = -1;
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // Until init has reset them, the runner's signal handlers must not run in it.
    // SAFETY: both sets are written before they are read.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
    }
    let flags = plan.clone_flags() | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: without CLONE_VM and with a null stack this behaves as fork(): the child gets a
    // copy of this thread alone and calls only async-signal-safe code until it exits.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone,
            flags as libc::c_ulong,
            std::ptr::null::<libc::c_void>(),
            &raw mut pidfd,
            std::ptr::null::<libc::c_void>(),
            std::ptr::null::<libc::c_void>(),
        )
    };
    if pid == 0 {
        // SAFETY: this is the fresh child with all signals blocked.
        unsafe { init::run(plan) }
    }
    let outcome = if pid < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    };
    // SAFETY: `before` was filled above.
    unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
    }
    outcome?;
    // SAFETY: the kernel stored a new descriptor there.
    Ok(Init {
        pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) },
    })
}

/// Reaps the process if it has ended.
pub(crate) fn reap(pidfd: &OwnedFd) -> bool {
    wait(pidfd, libc::WNOHANG)
}

/// Waits for the end of the process and reaps it.
pub(crate) fn wait_blocking(pidfd: &OwnedFd) {
    wait(pidfd, 0);
}

fn wait(pidfd: &OwnedFd, flags: libc::c_int) -> bool {
    loop {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        // SAFETY: `info` is writable and zeroed, so that "nothing yet" reads as pid 0.
        let (result, pid) = unsafe {
            let result = libc::waitid(
                libc::P_PIDFD,
                pidfd.as_raw_fd() as libc::id_t,
                info.as_mut_ptr(),
                libc::WEXITED | flags,
            );
            (result, info.assume_init().si_pid())
        };
        if result == 0 {
            return pid != 0;
        }
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            // ECHILD: somebody else reaped it, so it is gone.
            return true;
        }
    }
}
