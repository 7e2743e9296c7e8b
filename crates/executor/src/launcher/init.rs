//! What the cloned init does. It shares a copy of a multi-threaded process, so
//! it calls only async-signal-safe functions: no allocation, no locks, no panic.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;

use super::Prepared;

/// Control word: SIGINT to all.
pub(crate) const INTERRUPT: u8 = b'I';
/// Control word: SIGTERM to all.
pub(crate) const TERMINATE: u8 = b'T';
/// Control word: SIGKILL to all.
pub(crate) const KILL: u8 = b'K';

/// Size of the one message on the report pipe.
pub(crate) const REPORT_BYTES: usize = 8;

/// The one message of an init to the runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The namespaces stand (only when there is no program).
    Ready { private_proc: bool },
    /// The namespaces could not be set up.
    SetupFailed { errno: i32 },
    /// The program could not be executed.
    ExecFailed { errno: i32 },
    /// Wait status of the program.
    Ended { status: i32 },
}

impl Report {
    fn encode(self) -> [u8; REPORT_BYTES] {
        let (kind, value) = match self {
            Self::Ready { private_proc } => (1, i32::from(private_proc)),
            Self::SetupFailed { errno } => (2, errno),
            Self::ExecFailed { errno } => (3, errno),
            Self::Ended { status } => (4, status),
        };
        let value = value.to_ne_bytes();
        [kind, 0, 0, 0, value[0], value[1], value[2], value[3]]
    }

    /// The message in `bytes`; `None` if it is not one.
    pub fn decode(bytes: [u8; REPORT_BYTES]) -> Option<Self> {
        let value = i32::from_ne_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        Some(match bytes[0] {
            1 => Self::Ready {
                private_proc: value != 0,
            },
            2 => Self::SetupFailed { errno: value },
            3 => Self::ExecFailed { errno: value },
            4 => Self::Ended { status: value },
            _ => return None,
        })
    }
}

/// What init makes for itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Namespaces {
    /// PID and mount, inside a user namespace if asked.
    Pid { user: bool },
    /// None: a child subreaper.
    None,
    /// Those of a [`Home`](super::Home), given by its process handle. What the program
    /// leaves behind stays there.
    Joined { home: RawFd, user: bool },
    /// None; what the program leaves behind stays.
    Loose,
}

impl Namespaces {
    /// Others look after what the program leaves behind.
    fn leaves_orphans(self) -> bool {
        matches!(self, Self::Joined { .. } | Self::Loose)
    }
}

/// Descriptors of the runner that init takes over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChildFds {
    pub stdin: RawFd,
    pub output: RawFd,
    pub errors: RawFd,
    pub control: RawFd,
    pub report: RawFd,
    /// -1: none.
    pub keep: RawFd,
}

// Where init moves its descriptors to; everything above them is closed.
const STDIN: RawFd = 0;
const OUTPUT: RawFd = 1;
const CONTROL: RawFd = 3;
const REPORT: RawFd = 4;
const KEEP: RawFd = 5;
const SIGNALS_FROM: RawFd = 6;

/// In place of the program of a home: no answer of `waitpid`.
const NOBODY: libc::pid_t = -2;

const MAP_BYTES: usize = 48;
const STACK_BYTES: usize = 64 * 1024;

/// Everything init needs, laid out before the clone.
pub(crate) struct InitPlan<'a> {
    namespaces: Namespaces,
    fds: ChildFds,
    program: Option<&'a Prepared>,
    /// Without a program: stay until the runner says otherwise.
    stays: bool,
    uid_map: ([u8; MAP_BYTES], usize),
    gid_map: ([u8; MAP_BYTES], usize),
    stack: Vec<MaybeUninit<u8>>,
}

impl<'a> InitPlan<'a> {
    pub fn new(namespaces: Namespaces, fds: ChildFds, program: Option<&'a Prepared>) -> Self {
        let mut stack = Vec::with_capacity(STACK_BYTES);
        // SAFETY: uninitialised bytes are valid values of `MaybeUninit`.
        unsafe { stack.set_len(STACK_BYTES) };
        Self {
            namespaces,
            fds,
            program,
            stays: false,
            uid_map: identity_map(rustix::process::geteuid().as_raw()),
            gid_map: identity_map(rustix::process::getegid().as_raw()),
            stack,
        }
    }

    /// An init that runs nothing itself, for programs that join it.
    pub fn of_home(namespaces: Namespaces, fds: ChildFds) -> Self {
        Self {
            stays: true,
            ..Self::new(namespaces, fds, None)
        }
    }

    /// The `CLONE_NEW*` flags.
    pub fn clone_flags(&self) -> libc::c_int {
        match self.namespaces {
            Namespaces::Pid { user: false } => libc::CLONE_NEWPID | libc::CLONE_NEWNS,
            Namespaces::Pid { user: true } => {
                libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWUSER
            }
            Namespaces::None | Namespaces::Joined { .. } | Namespaces::Loose => 0,
        }
    }
}

fn identity_map(id: u32) -> ([u8; MAP_BYTES], usize) {
    let text = format!("{id} {id} 1\n");
    let mut bytes = [0; MAP_BYTES];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    (bytes, text.len())
}

/// The whole life of init.
///
/// # Safety
/// Must be called in the child of a fork-like clone with all signals blocked.
pub(crate) unsafe fn run(plan: &InitPlan<'_>) -> ! {
    // SAFETY: only async-signal-safe calls below, on memory prepared before the clone.
    unsafe {
        reset_signal_handlers();
        // The handle of the home is closed with the runner's other descriptors.
        let joined = join(plan.namespaces);
        if !take_descriptors(&plan.fds) {
            libc::_exit(70);
        }
        libc::prctl(libc::PR_SET_NAME, c"tappet-init".as_ptr());
        let private_proc = match joined.and_then(|()| enter(plan)) {
            Ok(private_proc) => private_proc,
            Err(errno) => finish(Report::SetupFailed { errno }),
        };
        let Some(program) = plan.program else {
            if plan.stays {
                report(Report::Ready { private_proc });
                watch(plan.namespaces, NOBODY);
                libc::_exit(0);
            }
            finish(Report::Ready { private_proc })
        };
        let mut start = ProgramStart { program, errno: 0 };
        // The stack grows down; its end must be aligned to 16 bytes.
        let top = plan.stack.as_ptr().add(STACK_BYTES) as usize & !15;
        let pid = libc::clone(
            exec_program,
            top as *mut libc::c_void,
            libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD,
            (&raw mut start).cast(),
        );
        if pid < 0 {
            finish(Report::SetupFailed { errno: errno() });
        }
        let failed = std::ptr::read_volatile(&raw const start.errno);
        if failed != 0 {
            libc::waitpid(pid, std::ptr::null_mut(), 0);
            finish(Report::ExecFailed { errno: failed });
        }
        let status = watch(plan.namespaces, pid);
        finish(Report::Ended { status })
    }
}

struct ProgramStart<'a> {
    program: &'a Prepared,
    errno: i32,
}

/// Runs in the program's process until it executes; shares init's memory, init is suspended.
extern "C" fn exec_program(start: *mut libc::c_void) -> libc::c_int {
    let start = start.cast::<ProgramStart<'_>>();
    // SAFETY: init waits, so nobody else touches `start`; the calls are async-signal-safe.
    unsafe {
        let program = (*start).program;
        libc::setsid();
        libc::umask(0o022);
        let mut none = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
        if libc::chdir(program.dir.as_ptr()) == 0 {
            libc::execve(
                program.path.as_ptr(),
                program.argv.as_ptr(),
                program.envp.as_ptr(),
            );
        }
        std::ptr::write_volatile(&raw mut (*start).errno, errno());
        libc::_exit(127)
    }
}

unsafe fn errno() -> i32 {
    // SAFETY: always a valid thread-local address.
    unsafe { *libc::__errno_location() }
}

unsafe fn finish(message: Report) -> ! {
    // SAFETY: plain system calls.
    unsafe {
        report(message);
        libc::_exit(0)
    }
}

unsafe fn report(message: Report) {
    let bytes = message.encode();
    // SAFETY: the buffer lives across the call.
    unsafe {
        libc::write(REPORT, bytes.as_ptr().cast(), bytes.len());
        // The end of file tells that there is no more.
        libc::close(REPORT);
    }
}

/// Enters the namespaces of a home; children will be born there.
unsafe fn join(namespaces: Namespaces) -> Result<(), i32> {
    let Namespaces::Joined { home, user } = namespaces else {
        return Ok(());
    };
    let user = if user { libc::CLONE_NEWUSER } else { 0 };
    // SAFETY: a plain system call.
    unsafe {
        if libc::setns(home, user | libc::CLONE_NEWPID | libc::CLONE_NEWNS) == 0 {
            Ok(())
        } else {
            Err(errno())
        }
    }
}

/// The runner's handlers would write into pipes that are still the runner's.
unsafe fn reset_signal_handlers() {
    // SAFETY: plain system calls on a zeroed, valid action.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = libc::SIG_DFL;
        for signal in 1..=64 {
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

/// Moves our descriptors to fixed places and closes all others: an init that kept another
/// attempt's control pipe open would hide the runner's death from that attempt.
unsafe fn take_descriptors(fds: &ChildFds) -> bool {
    // SAFETY: plain system calls on integers.
    unsafe {
        let high = |fd| {
            if fd < 0 {
                -1
            } else {
                libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 64)
            }
        };
        let moved = [
            high(fds.stdin),
            high(fds.output),
            high(fds.errors),
            high(fds.control),
            high(fds.report),
            high(fds.keep),
        ];
        if moved[0] < 0
            || moved[1] < 0
            || moved[2] < 0
            || moved[3] < 0
            || moved[4] < 0
            || (fds.keep >= 0 && moved[5] < 0)
        {
            return false;
        }
        libc::dup2(moved[0], STDIN);
        libc::dup2(moved[1], OUTPUT);
        libc::dup2(moved[2], OUTPUT + 1);
        libc::dup3(moved[3], CONTROL, libc::O_CLOEXEC);
        libc::dup3(moved[4], REPORT, libc::O_CLOEXEC);
        if moved[5] >= 0 {
            libc::dup3(moved[5], KEEP, libc::O_CLOEXEC);
        } else {
            libc::close(KEEP);
        }
        if libc::syscall(
            libc::SYS_close_range,
            SIGNALS_FROM as libc::c_uint,
            libc::c_uint::MAX,
            0,
        ) != 0
        {
            for fd in SIGNALS_FROM..65536 {
                libc::close(fd);
            }
        }
        true
    }
}

/// Enters what `plan` asks for. `Ok(true)`: with a `/proc` of our own.
unsafe fn enter(plan: &InitPlan<'_>) -> Result<bool, i32> {
    // SAFETY: plain system calls on static strings and prepared buffers.
    unsafe {
        let user = match plan.namespaces {
            Namespaces::None => {
                libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
                return Ok(false);
            }
            Namespaces::Joined { .. } => return Ok(true),
            Namespaces::Loose => return Ok(false),
            Namespaces::Pid { user } => user,
        };
        if user {
            // Without setgroups denied an unprivileged process may not write a group map.
            write_file(c"/proc/self/setgroups", b"deny");
            let (uid, gid) = (&plan.uid_map, &plan.gid_map);
            if !write_file(c"/proc/self/uid_map", &uid.0[..uid.1])
                || !write_file(c"/proc/self/gid_map", &gid.0[..gid.1])
            {
                return Err(errno());
            }
        }
        let none = std::ptr::null::<libc::c_char>();
        if libc::mount(
            none,
            c"/".as_ptr(),
            none,
            libc::MS_REC | libc::MS_PRIVATE,
            std::ptr::null(),
        ) != 0
        {
            return Err(errno());
        }
        let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        let mounted = libc::mount(
            c"proc".as_ptr(),
            c"/proc".as_ptr(),
            c"proc".as_ptr(),
            flags,
            std::ptr::null(),
        );
        // Containers mask parts of /proc, and the kernel then refuses a clean one.
        Ok(mounted == 0)
    }
}

unsafe fn write_file(path: &std::ffi::CStr, bytes: &[u8]) -> bool {
    // SAFETY: plain system calls on valid buffers.
    unsafe {
        let fd = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if fd < 0 {
            return false;
        }
        let written = libc::write(fd, bytes.as_ptr().cast(), bytes.len());
        libc::close(fd);
        written == bytes.len() as isize
    }
}

/// Waits for the program to end or for the runner's word, then leaves nothing behind.
/// Returns the wait status of the program.
unsafe fn watch(namespaces: Namespaces, program: libc::pid_t) -> i32 {
    // SAFETY: plain system calls on local buffers.
    unsafe {
        // The output now belongs to the program alone, so that the runner sees its end.
        libc::dup2(STDIN, OUTPUT);
        libc::dup2(STDIN, OUTPUT + 1);
        let mut chld = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(chld.as_mut_ptr());
        libc::sigaddset(chld.as_mut_ptr(), libc::SIGCHLD);
        let signals = libc::signalfd(-1, chld.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        let mut polled = [
            libc::pollfd {
                fd: signals,
                events: libc::POLLIN,
                revents: 0,
            },
            libc::pollfd {
                fd: CONTROL,
                events: libc::POLLIN,
                revents: 0,
            },
        ];
        let mut status = None;
        let mut terminating = false;
        loop {
            let none_left = reap(program, &mut status);
            // A home has no children until somebody joins and leaves one.
            if (none_left && program != NOBODY) || (status.is_some() && !terminating) {
                break;
            }
            // Without a signalfd (out of memory) look every 50 ms.
            let timeout = if signals < 0 { 50 } else { -1 };
            libc::poll(polled.as_mut_ptr(), 2, timeout);
            if polled[0].revents != 0 {
                let mut drained = [0u8; 512];
                libc::read(signals, drained.as_mut_ptr().cast(), drained.len());
            }
            if polled[1].revents != 0 {
                let mut word = 0u8;
                match libc::read(CONTROL, (&raw mut word).cast(), 1) {
                    // What is left when the program has ended is killed, as after any end.
                    1 if word == INTERRUPT => signal_all(namespaces, program, libc::SIGINT),
                    1 if word == TERMINATE => {
                        terminating = true;
                        signal_all(namespaces, program, libc::SIGTERM);
                        signal_all(namespaces, program, libc::SIGCONT);
                    }
                    // KILL, or the runner is gone.
                    _ => break,
                }
            }
        }
        if let Some(status) = status
            && namespaces.leaves_orphans()
        {
            return status;
        }
        loop {
            signal_all(namespaces, program, libc::SIGKILL);
            let mut one = 0;
            let pid = libc::waitpid(-1, &raw mut one, 0);
            if pid == program {
                status = Some(one);
            }
            if pid < 0 && errno() != libc::EINTR {
                break;
            }
        }
        status.unwrap_or(libc::SIGKILL)
    }
}

/// Collects the dead. True when no child is left.
unsafe fn reap(program: libc::pid_t, status: &mut Option<i32>) -> bool {
    loop {
        let mut one = 0;
        // SAFETY: `one` is writable.
        let pid = unsafe { libc::waitpid(-1, &raw mut one, libc::WNOHANG) };
        if pid == program {
            *status = Some(one);
        }
        if pid < 0 {
            return true;
        }
        if pid == 0 {
            return false;
        }
    }
}

unsafe fn signal_all(namespaces: Namespaces, program: libc::pid_t, signal: libc::c_int) {
    // SAFETY: plain system calls; the buffer is local.
    unsafe {
        if let Namespaces::Pid { .. } = namespaces {
            // As process 1 this means everybody in the namespace but us.
            libc::kill(-1, signal);
            return;
        }
        libc::kill(-program, signal);
        if namespaces.leaves_orphans() {
            return;
        }
        // Orphans become children of a subreaper, so repeated rounds reach all of them.
        let fd = libc::open(
            c"/proc/thread-self/children".as_ptr(),
            libc::O_RDONLY | libc::O_CLOEXEC,
        );
        if fd < 0 {
            return;
        }
        let mut buffer = [0u8; 4096];
        let mut pid: libc::pid_t = 0;
        loop {
            let count = libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len());
            if count <= 0 {
                break;
            }
            for &byte in buffer.iter().take(count as usize) {
                if byte.is_ascii_digit() {
                    pid = pid
                        .wrapping_mul(10)
                        .wrapping_add(libc::pid_t::from(byte - b'0'));
                } else if pid > 1 {
                    libc::kill(pid, signal);
                    pid = 0;
                }
            }
        }
        libc::close(fd);
    }
}
