//! The Landlock part of the tier: which files, ports and processes a command reaches.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::Context;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, Scope,
};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};

use super::policy::{Network, Policy};
use crate::model::Hint;

/// The newest interface this module was written for; an older kernel gives what it has.
const NEWEST: ABI = ABI::V9;
/// Below this a command could empty files outside by truncating them.
pub(super) const ABI_MIN: u32 = 3;
/// From here on TCP is limited to ports.
pub(super) const ABI_PORTS: u32 = 4;

/// Folders of the system that every command may read. `/dev` is for listing; its files are below.
const SYSTEM_READ: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/proc",
    "/nix/store",
    "/sys/devices/system/cpu",
    "/sys/kernel/mm/transparent_hugepage",
];
const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];
/// Read besides where names are to be looked up: it is often a link into `/run`.
const NAME_SERVERS: &str = "/etc/resolv.conf";

/// Returns the kernel's Landlock interface number, 0 without Landlock.
pub(super) fn abi() -> u32 {
    const VERSION: u32 = 1;
    let nothing = std::ptr::null::<libc::c_void>();
    #[expect(
        unsafe_code,
        reason = "the crate hides the number, and the tier's name and its minimum need it"
    )]
    // SAFETY: with a null attribute of size 0 and this flag the call only returns a number.
    let number =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0_usize, VERSION) };
    u32::try_from(number).unwrap_or(0)
}

/// Builds the rules of `policy`; fails on a path to be written that is missing or leads through a link.
pub(super) fn ruleset(policy: &Policy) -> anyhow::Result<RulesetCreated> {
    let abi = abi();
    anyhow::ensure!(
        abi >= ABI_MIN,
        "this kernel's Landlock has interface {abi}, and {ABI_MIN} is needed"
    );
    let mut rules = handled(&policy.network)?.create()?;
    for path in SYSTEM_READ
        .iter()
        .map(Path::new)
        .chain(policy.read.iter().map(|path| path.as_path()))
    {
        rules = allow_read(rules, path)?;
    }
    rules = allow_dev(rules)?;
    for path in &policy.write {
        rules = allow_write(rules, path)?;
    }
    match &policy.network {
        Network::Ports(ports) => allow_ports(rules, ports),
        Network::Full => allow_read(rules, Path::new(NAME_SERVERS)),
        Network::Off => Ok(rules),
    }
}

fn handled(network: &Network) -> anyhow::Result<Ruleset> {
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(Scope::AbstractUnixSocket | Scope::Signal)?;
    Ok(match network {
        Network::Full => rules,
        Network::Off | Network::Ports(_) => rules.handle_access(AccessNet::from_all(NEWEST))?,
    })
}

fn allow_read(rules: RulesetCreated, path: &Path) -> anyhow::Result<RulesetCreated> {
    // A path that cannot be opened cannot be read either, so leaving it out hides nothing.
    match open(path, ResolveFlags::empty()) {
        Ok((file, metadata)) => allow(rules, file, &metadata, AccessFs::from_read(NEWEST)),
        Err(_) => Ok(rules),
    }
}

fn allow_write(rules: RulesetCreated, path: &Path) -> anyhow::Result<RulesetCreated> {
    let (file, metadata) = open(path, ResolveFlags::NO_SYMLINKS)
        .with_context(|| format!("cannot let a step write `{}`", path.display()))
        .hint("the path must exist, and no part of it may be a symbolic link")?;
    let devices = AccessFs::MakeChar | AccessFs::MakeBlock;
    allow(
        rules,
        file,
        &metadata,
        AccessFs::from_all(NEWEST) & !devices,
    )
}

fn allow_dev(mut rules: RulesetCreated) -> anyhow::Result<RulesetCreated> {
    if let Ok((file, metadata)) = open(Path::new("/dev"), ResolveFlags::empty()) {
        rules = allow(rules, file, &metadata, AccessFs::ReadDir.into())?;
    }
    for device in DEVICES {
        if let Ok((file, metadata)) = open(Path::new(device), ResolveFlags::empty()) {
            rules = allow(
                rules,
                file,
                &metadata,
                AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate,
            )?;
        }
    }
    Ok(rules)
}

fn allow_ports(rules: RulesetCreated, ports: &BTreeSet<u16>) -> anyhow::Result<RulesetCreated> {
    let allowed = AccessNet::BindTcp | AccessNet::ConnectTcp;
    let ports = ports
        .iter()
        .map(|port| Ok::<_, anyhow::Error>(NetPort::new(*port, allowed)));
    rules.add_rules(ports)
}

fn open(path: &Path, resolve: ResolveFlags) -> std::io::Result<(OwnedFd, Metadata)> {
    let file = openat2(
        CWD,
        path,
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
        resolve,
    )?;
    let file = std::fs::File::from(file);
    let metadata = file.metadata()?;
    Ok((file.into(), metadata))
}

fn allow(
    rules: RulesetCreated,
    file: OwnedFd,
    metadata: &Metadata,
    access: BitFlags<AccessFs>,
) -> anyhow::Result<RulesetCreated> {
    // The kernel refuses rights of folders on a file.
    let access = if metadata.is_dir() {
        access
    } else {
        access & AccessFs::from_file(NEWEST)
    };
    Ok(rules.add_rule(PathBeneath::new(file, access))?)
}
