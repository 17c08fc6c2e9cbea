//! What happens between fork and exec: the command takes its restrictions upon itself.

use std::io::{self, Write};
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, setsid};

use super::policy::Policy;

/// The largest file a command may write, in bytes.
const FILE_MAX: u64 = 4 << 30;

/// Prepares `command` to confine itself to `policy`, or to stay free without one.
/// A step of it that fails in the child is written to `trouble`, since `spawn` only returns its error number.
pub(super) fn confine(
    command: &mut Command,
    policy: Option<&Policy>,
    trouble: impl Write + Send + Sync + 'static,
) -> anyhow::Result<()> {
    let mut steps = own_session();
    if let Some(policy) = policy {
        steps.extend(confinement(policy)?);
    }
    before_exec(command, steps, trouble);
    Ok(())
}

type Step = (
    &'static str,
    Box<dyn FnMut() -> anyhow::Result<()> + Send + Sync>,
);

fn step(
    name: &'static str,
    work: impl FnMut() -> anyhow::Result<()> + Send + Sync + 'static,
) -> Step {
    (name, Box::new(work))
}

/// The steps that every command takes: it leaves our terminal, dies with its launcher, and inherits no open file.
fn own_session() -> Vec<Step> {
    vec![
        step("start a session", || Ok(setsid().map(drop)?)),
        step("restore signals", || {
            super::signals::restore();
            Ok(())
        }),
        #[cfg(target_os = "linux")]
        step(
            "die with the launcher",
            die_with_the_launcher(rustix::process::getpid()),
        ),
        #[cfg(target_os = "linux")]
        step("close open files", close_on_exec),
        step("limit core dumps", || limit(Resource::Core, 0)),
        step("limit the size of files", || {
            limit(Resource::Fsize, FILE_MAX)
        }),
    ]
}

#[cfg(target_os = "linux")]
fn confinement(policy: &Policy) -> anyhow::Result<Vec<Step>> {
    let mut ruleset = Some(super::landlock::ruleset(policy)?);
    let programs = super::seccomp::programs(&policy.network)?;
    Ok(vec![
        step("give up capabilities", give_up_capabilities),
        step("apply Landlock", move || {
            let status = ruleset
                .take()
                .expect("a command starts once")
                .restrict_self()?;
            anyhow::ensure!(
                status.ruleset != ::landlock::RulesetStatus::NotEnforced,
                "nothing was enforced"
            );
            Ok(())
        }),
        step("filter system calls", move || {
            programs
                .iter()
                .try_for_each(|program| Ok(seccompiler::apply_filter(program)?))
        }),
    ])
}

#[cfg(not(target_os = "linux"))]
fn confinement(_policy: &Policy) -> anyhow::Result<Vec<Step>> {
    anyhow::bail!("there is no sandbox on this system")
}

#[expect(
    unsafe_code,
    reason = "std runs code between fork and exec only on the promise below"
)]
fn before_exec(
    command: &mut Command,
    mut steps: Vec<Step>,
    mut trouble: impl Write + Send + Sync + 'static,
) {
    use std::os::unix::process::CommandExt;
    let work = move || {
        for (name, work) in &mut steps {
            if let Err(error) = work() {
                write!(trouble, "cannot {name}: {error:#}")?;
                return Err(io::Error::from(io::ErrorKind::Other));
            }
        }
        Ok(())
    };
    // SAFETY: the launcher has a single thread, so no lock can be held by another at the fork, and allocating is safe.
    unsafe { command.pre_exec(work) };
}

#[cfg(target_os = "linux")]
fn die_with_the_launcher(launcher: rustix::process::Pid) -> impl FnMut() -> anyhow::Result<()> {
    move || {
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        // Had it died before the call, no signal would come.
        anyhow::ensure!(
            rustix::process::getppid() == Some(launcher),
            "the launcher has ended"
        );
        Ok(())
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "neither std nor rustix has close_range")]
fn close_on_exec() -> anyhow::Result<()> {
    // SAFETY: the call only marks descriptors; closing happens in exec, after which no Rust code runs.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    // Kernels without it have no Landlock either, and what we open ourselves is closed on exec anyhow.
    match io::Error::last_os_error() {
        error if result != 0 && error.raw_os_error() != Some(libc::ENOSYS) => Err(error.into()),
        _ => Ok(()),
    }
}

fn limit(resource: Resource, most: u64) -> anyhow::Result<()> {
    let hard = getrlimit(resource)
        .maximum
        .map_or(most, |hard| hard.min(most));
    let both = Rlimit {
        current: Some(hard),
        maximum: Some(hard),
    };
    Ok(setrlimit(resource, both)?)
}

/// Gives up what root may do beyond its own files; without privileges there is nothing to give up.
#[cfg(target_os = "linux")]
fn give_up_capabilities() -> anyhow::Result<()> {
    use rustix::thread::{
        CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities,
    };
    for capability in CapabilitySet::all() {
        // Refused without CAP_SETPCAP, where the set below is empty already and nothing can be gained from this one.
        let _ = remove_capability_from_bounding_set(capability);
    }
    let none = CapabilitySet::empty();
    Ok(set_capabilities(
        None,
        CapabilitySets {
            effective: none,
            permitted: none,
            inheritable: none,
        },
    )?)
}
