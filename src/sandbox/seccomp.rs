//! The seccomp part of the tier: system calls that Landlock does not see or that no step needs.

use std::collections::BTreeMap;

use anyhow::Context;
use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, sock_filter,
};

use super::policy::Network;

/// Calls refused with EPERM whatever their arguments.
const REFUSED: &[c_long] = &[
    // Another process's memory and files.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    // Work done by the kernel behind the back of this filter.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    // The tree of files, and files by number instead of by path.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_quotactl,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    // Namespaces.
    libc::SYS_setns,
    libc::SYS_unshare,
    // Keys that outlive the process.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // The machine.
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_acct,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
];

/// Namespaces that `clone` could make.
const NAMESPACES: &[libc::c_int] = &[
    libc::CLONE_NEWNS,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// `ioctl` requests that type into a terminal.
const TYPING: &[u64] = &[libc::TIOCSTI, TIOCLINUX];
const TIOCLINUX: u64 = 0x541c;

/// The part of a socket's type that is not flags.
const TYPE_MASK: u64 = 0xf;

/// Builds the two programs of a policy, in the order they are to be applied.
pub(super) fn programs(network: &Network) -> anyhow::Result<[BpfProgram; 2]> {
    let filter = SeccompFilter::new(
        rules(network)?,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM as u32),
        architecture()?,
    )?;
    Ok([not_implemented(), filter.try_into()?])
}

fn architecture() -> anyhow::Result<TargetArch> {
    let name = std::env::consts::ARCH;
    TargetArch::try_from(name)
        .with_context(|| format!("there is no system call filter for `{name}`"))
}

fn rules(network: &Network) -> anyhow::Result<BTreeMap<i64, Vec<SeccompRule>>> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED.iter().map(|call| (*call, vec![])).collect();
    let namespaces = NAMESPACES.iter().map(|flag| rule([bit(0, *flag as u64)]));
    rules.insert(libc::SYS_clone, namespaces.collect::<Result<_, _>>()?);
    let typing = TYPING.iter().map(|request| rule([equal(1, *request)]));
    rules.insert(libc::SYS_ioctl, typing.collect::<Result<_, _>>()?);
    // Landlock keeps signals in, but a limit of no processor time would end another process just as well.
    rules.insert(
        libc::SYS_prlimit64,
        vec![rule([differs(0, 0), is_given(2)])?],
    );
    rules.insert(libc::SYS_socket, sockets(network)?);
    // A pair of datagram sockets could still send to any other one by its path.
    rules.insert(
        libc::SYS_socketpair,
        vec![rule([masked(1, TYPE_MASK, libc::SOCK_DGRAM as u64)])?],
    );
    if matches!(network, Network::Ports(_)) {
        rules.extend(fast_open()?);
    }
    Ok(rules)
}

/// Refuses every kind of socket but TCP (not off), UDP (full) and the one that asks the kernel for addresses.
fn sockets(network: &Network) -> anyhow::Result<Vec<SeccompRule>> {
    let [ipv4, ipv6, netlink] =
        [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK].map(|family| family as u64);
    let mut rules = vec![
        rule([differs(0, ipv4), differs(0, ipv6), differs(0, netlink)])?,
        rule([equal(0, netlink), differs(2, libc::NETLINK_ROUTE as u64)])?,
    ];
    let types: &[libc::c_int] = match network {
        Network::Off => &[],
        Network::Ports(_) => &[libc::SOCK_STREAM],
        Network::Full => &[libc::SOCK_STREAM, libc::SOCK_DGRAM],
    };
    for kind in (0..=TYPE_MASK).filter(|kind| !types.iter().any(|allowed| *allowed as u64 == *kind))
    {
        rules.push(rule([differs(0, netlink), masked(1, TYPE_MASK, kind)])?);
    }
    // MPTCP and SCTP carry streams too, and Landlock's ports are those of TCP alone.
    let protocols =
        [0, libc::IPPROTO_TCP, libc::IPPROTO_UDP].map(|protocol| differs(2, protocol as u64));
    rules.push(rule([differs(0, netlink)].into_iter().chain(protocols))?);
    Ok(rules)
}

/// Refuses to connect by sending, which Landlock does not see.
fn fast_open() -> anyhow::Result<[(i64, Vec<SeccompRule>); 3]> {
    let flagged = |argument| anyhow::Ok(vec![rule([bit(argument, libc::MSG_FASTOPEN as u64)])?]);
    Ok([
        (libc::SYS_sendto, flagged(3)?),
        (libc::SYS_sendmsg, flagged(2)?),
        (libc::SYS_sendmmsg, flagged(3)?),
    ])
}

/// Says "not implemented" to calls whose arguments a filter cannot see, so that libraries use the older ones:
/// `clone3`, and on x86_64 the x32 twins of all calls.
fn not_implemented() -> BpfProgram {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    const X32: u32 = 0x4000_0000;
    let instruction = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    vec![
        // The number of the call is the first word a filter sees.
        instruction(LOAD, 0, 0, 0),
        instruction(AT_LEAST, 2, 0, X32),
        instruction(EQUAL, 1, 0, libc::SYS_clone3 as u32),
        instruction(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
        instruction(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
    ]
}

type Condition = Result<SeccompCondition, seccompiler::BackendError>;

fn rule(
    conditions: impl IntoIterator<Item = Condition>,
) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(conditions.into_iter().collect::<Result<_, _>>()?)
}

fn equal(argument: u8, value: u64) -> Condition {
    condition(argument, SeccompCmpOp::Eq, value)
}

fn differs(argument: u8, value: u64) -> Condition {
    condition(argument, SeccompCmpOp::Ne, value)
}

fn masked(argument: u8, mask: u64, value: u64) -> Condition {
    condition(argument, SeccompCmpOp::MaskedEq(mask), value)
}

fn bit(argument: u8, bit: u64) -> Condition {
    masked(argument, bit, bit)
}

/// Compares a pointer with null.
fn is_given(argument: u8) -> Condition {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)
}

/// The kernel takes these arguments as 32 bits and ignores the rest, so the filter must too.
fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> Condition {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_built_for_every_network() {
        for network in [Network::Off, Network::Ports([80].into()), Network::Full] {
            for program in programs(&network).unwrap() {
                assert!(!program.is_empty() && program.len() < 4096, "{network:?}");
            }
        }
    }
}
