//! What the launcher does with signals, and what a command finds.

use libc::{SIG_DFL, SIG_IGN, SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGXFSZ};

/// Makes the launcher deaf: whoever wants it to end ends the orchestrator, and then it still cleans up.
pub(super) fn ignore() {
    set(&[SIGHUP, SIGINT, SIGQUIT, SIGTERM], SIG_IGN);
    // An inherited "ignore" would make the dead vanish before they are counted.
    set(&[SIGCHLD], SIG_DFL);
}

/// Gives the command what every program expects, whatever we or our own parent ignore.
pub(super) fn restore() {
    set(
        &[SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGCHLD, SIGPIPE, SIGXFSZ],
        SIG_DFL,
    );
}

#[expect(unsafe_code, reason = "neither std nor rustix sets what a signal does")]
fn set(signals: &[libc::c_int], action: libc::sighandler_t) {
    for signal in signals {
        // SAFETY: both actions are the system's own, so no code of ours runs in a signal handler.
        unsafe { libc::signal(*signal, action) };
    }
}
