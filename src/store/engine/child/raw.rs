//! The calls that Rust cannot check: two on signals, and those into the library.
#![allow(unsafe_code, reason = "a foreign library and the signal mask have no safe interface")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use libloading::os::unix::{Library as Dl, RTLD_LOCAL, RTLD_NOW};

/// The set that holds SIGTERM alone.
fn sigterm() -> libc::sigset_t {
    let mut set = std::mem::MaybeUninit::uninit();
    // SAFETY: `sigemptyset` initialises the set that it is given; neither call fails for a valid signal.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGTERM);
        set.assume_init()
    }
}

/// Keeps SIGTERM from this thread and all that it starts, the library's too, so that one of ours can wait for it.
pub(super) fn block_sigterm() {
    // SAFETY: the set is initialised, and the old mask is not asked for.
    unsafe {
        libc::pthread_sigmask(libc::SIG_BLOCK, &sigterm(), std::ptr::null_mut());
    }
}

/// Returns when SIGTERM has arrived, at once if it did before.
pub(super) fn wait_for_sigterm() {
    let mut signal: c_int = 0;
    // SAFETY: both pointers are to locals that outlive the call. It fails only for a set that is not valid.
    unsafe {
        libc::sigwait(&sigterm(), &mut signal);
    }
}

/// Has the program of `command` get SIGTERM as usual, and get it when this thread ends.
///
/// A program inherits the mask of the thread that starts it, and would never hear that it is to stop.
pub(super) fn hears_sigterm(command: &mut Command) {
    let set = sigterm();
    let body = move || {
        // SAFETY: the set is initialised, and the constants are those of the call.
        let failed = unsafe {
            libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut()) != 0
                || libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) != 0
        };
        if failed { Err(std::io::Error::last_os_error()) } else { Ok(()) }
    };
    // SAFETY: `body` runs between fork and exec, and makes only calls that are allowed there.
    unsafe {
        command.pre_exec(body);
    }
}

/// ClickHouse, loaded.
pub(super) struct Library(Dl);

type Version = unsafe extern "C" fn() -> *const c_char;
type QueryCmdline = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut c_void;
type ResultError = unsafe extern "C" fn(*mut c_void) -> *const c_char;

impl Library {
    /// Loads the library at `path`, which runs its constructors.
    pub(super) fn open(path: &Path) -> Result<Library, libloading::Error> {
        // SAFETY: the file is the pinned library whose hash was checked, or one that the user named, in a process that
        // does nothing else.
        unsafe { Dl::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map(Library)
    }

    /// The version that the library gives.
    pub(super) fn version(&self) -> Result<String, libloading::Error> {
        // SAFETY: the library's header declares this type; the text is a constant of the library.
        unsafe {
            let version = self.0.get::<Version>(c"chdb_version")?;
            Ok(text(version()).unwrap_or_default())
        }
    }

    /// Runs ClickHouse with this command line until it ends, and returns its error if it had one.
    pub(super) fn run(&self, args: &[CString]) -> Result<Option<String>, libloading::Error> {
        let mut argv: Vec<*mut c_char> = args.iter().map(|arg| arg.as_ptr().cast_mut()).collect();
        argv.push(std::ptr::null_mut());
        let argc = c_int::try_from(args.len()).unwrap_or(c_int::MAX);
        // SAFETY: the library's header declares these types; `argv` ends with a null and outlives the call, which
        // copies what it needs. The result is not freed: the process ends next.
        unsafe {
            let run = self.0.get::<QueryCmdline>(c"chdb_query_cmdline")?;
            let error = self.0.get::<ResultError>(c"chdb_result_error")?;
            let result = run(argc, argv.as_mut_ptr());
            if result.is_null() {
                return Ok(Some("no result".to_owned()));
            }
            Ok(text(error(result)))
        }
    }
}

/// A copy of a C text, `None` for a null.
///
/// # Safety
/// `chars` is null or points to a text that ends with a zero.
unsafe fn text(chars: *const c_char) -> Option<String> {
    // SAFETY: as the caller promises.
    (!chars.is_null()).then(|| unsafe { CStr::from_ptr(chars) }.to_string_lossy().into_owned())
}
