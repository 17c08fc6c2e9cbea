//! The sandbox with its real launcher: what holds, what ends, and what a person is told.
//!
//! Forbidden acts are done by this very test program, started again inside the sandbox as `actor`.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says so"
)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use orchestrate::sandbox::{
    Cancel, Command, Ending, Network, Outcome, Policy, Provided, PythonEnvironment, Sandbox,
    find_python, provide_redis,
};
use rustix::process::{Pid, Signal, getppid, kill_process, test_kill_process};
use tempfile::TempDir;

/// A sandbox with a folder that a command may write.
struct Lab {
    sandbox: Sandbox,
    folder: TempDir,
}

impl Lab {
    fn new() -> Lab {
        Lab::with(false)
    }

    fn with(unsandboxed: bool) -> Lab {
        let sandbox = Sandbox::with_launcher(launcher(), unsandboxed).unwrap();
        Lab {
            sandbox,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    fn command(&self, argv: &[&str]) -> Command {
        Command {
            argv: argv.iter().map(|&text| text.to_owned()).collect(),
            directory: self.path(),
            environment: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
            policy: Policy {
                read: vec![own_file()],
                write: vec![self.path()],
                network: Network::Off,
            },
            timeout: Duration::from_secs(60),
        }
    }

    fn shell(&self, script: &str) -> Command {
        self.command(&["sh", "-c", script])
    }

    fn run(&self, command: &Command) -> Outcome {
        self.sandbox
            .run(command, &Cancel::new(), &mut |_| {})
            .unwrap()
    }

    /// Has the actor do `act` and returns whether the kernel let it.
    fn can(&self, act: &str, argument: &str, network: Network) -> bool {
        let mut command = self.command(&[
            own_file().to_str().unwrap(),
            "--exact",
            "actor",
            "--ignored",
            "--nocapture",
        ]);
        command.environment.extend([
            ("ACT".to_owned(), act.to_owned()),
            ("ARGUMENT".to_owned(), argument.to_owned()),
        ]);
        command.policy.network = network;
        let outcome = self.run(&command);
        match (
            outcome.log.contains("act: possible"),
            outcome.log.contains("act: refused"),
        ) {
            (true, false) => true,
            (false, true) => false,
            _ => panic!("{act}: {:?}\n{}", outcome.ending, outcome.log),
        }
    }
}

fn launcher() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_orchestrate"))
}

fn own_file() -> PathBuf {
    std::env::current_exe().unwrap()
}

#[test]
#[ignore = "started by other tests, inside the sandbox"]
fn actor() {
    let (Ok(act), Ok(argument)) = (std::env::var("ACT"), std::env::var("ARGUMENT")) else {
        return;
    };
    let address = || (Ipv4Addr::LOCALHOST, argument.parse::<u16>().unwrap());
    let possible = match act.as_str() {
        "write" => fs::write(&argument, "x").is_ok(),
        "append" => fs::OpenOptions::new().append(true).open(&argument).is_ok(),
        "truncate" => fs::OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(&argument)
            .is_ok(),
        "remove" => fs::remove_file(&argument).is_ok(),
        "steal" => fs::rename(&argument, "stolen").is_ok(),
        "link" => fs::hard_link(&argument, "linked").is_ok(),
        "read" => fs::read(&argument).is_ok(),
        "list" => fs::read_dir(&argument).is_ok(),
        "connect" => TcpStream::connect(address()).is_ok(),
        "listen" => TcpListener::bind(address()).is_ok(),
        "udp" => UdpSocket::bind(address()).is_ok(),
        "unix" => UnixStream::connect(&argument).is_ok(),
        "unix-datagram" => UnixDatagram::unbound()
            .and_then(|socket| socket.send_to(b"x", &argument))
            .is_ok(),
        "unix-datagram-pair" => UnixDatagram::pair()
            .and_then(|(socket, _)| socket.send_to(b"x", &argument))
            .is_ok(),
        "unix-pair" => UnixStream::pair().is_ok(),
        "signal" => test_kill_process(getppid().unwrap()).is_ok(),
        "orchestrate" => return orchestrate_for_ever(Path::new(&argument)),
        other => panic!("there is no act {other}"),
    };
    println!("act: {}", if possible { "possible" } else { "refused" });
}

#[test]
fn a_command_says_what_it_says_and_ends_as_it_ends() {
    let lab = Lab::new();
    let outcome = lab.run(&lab.shell("echo out; echo err >&2; printf tail; exit 7"));
    assert_eq!(outcome.ending, Ending::Exited(7));
    assert_eq!(outcome.stdout, b"out\ntail");
    let mut lines: Vec<&str> = outcome.log.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["err", "out", "tail"]);
    assert_eq!(outcome.left_behind, 0);
}

#[test]
fn lines_arrive_while_the_command_runs() {
    let lab = Lab::new();
    let began = Instant::now();
    let mut first = None;
    let command = lab.shell("echo first; sleep 1; echo second");
    let mut on_line = |_: &str| {
        first.get_or_insert(began.elapsed());
    };
    lab.sandbox
        .run(&command, &Cancel::new(), &mut on_line)
        .unwrap();
    assert!(first.unwrap() < Duration::from_millis(800), "{first:?}");
}

#[test]
fn a_command_sees_only_the_environment_it_is_given() {
    let lab = Lab::new();
    let mut command = lab.command(&["env"]);
    command
        .environment
        .insert("NAME".to_owned(), "value".to_owned());
    assert_eq!(
        lab.run(&command).stdout,
        b"NAME=value\nPATH=/usr/bin:/bin\n"
    );
}

#[test]
fn a_command_reads_nothing_from_our_standard_input_and_inherits_no_file() {
    let lab = Lab::new();
    let outcome = lab.run(&lab.shell("cat; ls /proc/$$/fd"));
    assert_eq!(String::from_utf8(outcome.stdout).unwrap(), "0\n1\n2\n");
}

#[test]
fn a_signal_is_told_from_an_exit() {
    let lab = Lab::new();
    assert_eq!(
        lab.run(&lab.shell("kill -SEGV $$")).ending,
        Ending::Signalled(11)
    );
    assert_eq!(lab.run(&lab.shell("exit 139")).ending, Ending::Exited(139));
}

#[test]
fn a_missing_program_is_named() {
    let lab = Lab::new();
    let why = |command: &Command| match lab.run(command).ending {
        Ending::NotStarted(why) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        why(&lab.command(&["no-such-program"])),
        "there is no program `no-such-program` in the step's PATH (/usr/bin:/bin)"
    );
    assert_eq!(
        why(&lab.command(&["./missing"])),
        "there is no program `./missing`"
    );

    let script = lab.path().join("script");
    fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    make_executable(&script);
    assert!(why(&lab.command(&["./script"])).ends_with("the interpreter it names is missing"));

    let hidden = tempfile::tempdir().unwrap();
    let program = hidden.path().join("program");
    fs::copy("/bin/true", &program).unwrap();
    let found = why(&lab.command(&[program.to_str().unwrap()]));
    assert!(
        found.ends_with("is outside what the sandbox lets a step read"),
        "{found}"
    );

    let mut command = lab.command(&["true"]);
    command.directory = PathBuf::from("/no/such/folder");
    assert_eq!(
        why(&command),
        "`true` cannot start: there is no folder `/no/such/folder`"
    );
}

#[test]
fn files_outside_stay_as_they_are() {
    let lab = Lab::new();
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("file");
    fs::write(&file, "precious").unwrap();
    let file_name = file.to_str().unwrap();
    let new = outside.path().join("new");
    for act in [
        "write", "append", "truncate", "remove", "steal", "link", "read",
    ] {
        assert!(!lab.can(act, file_name, Network::Off), "{act}");
        assert!(
            !lab.can(act, file_name, Network::Full),
            "{act} with the network on"
        );
    }
    assert!(!lab.can("write", new.to_str().unwrap(), Network::Off));
    assert!(!lab.can("list", outside.path().to_str().unwrap(), Network::Off));
    assert!(!lab.can("list", "/root", Network::Off));
    assert!(!lab.can("read", "/proc/1/environ", Network::Off));
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn a_link_that_a_step_made_leads_nowhere() {
    let lab = Lab::new();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), lab.path().join("link")).unwrap();
    assert!(!lab.can("write", "link/file", Network::Off));

    let mut command = lab.shell("true");
    command.policy.write = vec![lab.path().join("link")];
    let error = lab
        .sandbox
        .run(&command, &Cancel::new(), &mut |_| {})
        .unwrap_err();
    assert!(
        format!("{error:#}").contains("cannot let a step write"),
        "{error:#}"
    );

    command.policy.write = vec![lab.path().join("missing")];
    assert!(
        lab.sandbox
            .run(&command, &Cancel::new(), &mut |_| {})
            .is_err()
    );
}

#[test]
fn the_own_folder_is_free_and_a_granted_one_is_read_only() {
    let lab = Lab::new();
    let granted = tempfile::tempdir().unwrap();
    fs::write(granted.path().join("file"), "shared").unwrap();
    let script = format!(
        "set -e; mkdir a b; echo x > a/file; mv a/file b/file; ln b/file b/hard; ln -s file b/soft; rm b/file; \
         : > b/hard; cat {0}/file; ! touch {0}/new; ! rm {0}/file; echo > /dev/null; head -c1 /dev/urandom > /dev/null",
        granted.path().display()
    );
    let mut command = lab.shell(&script);
    command.policy.read.push(granted.path().to_owned());
    command.policy.read.push(PathBuf::from("/no/such/folder"));
    let outcome = lab.run(&command);
    assert_eq!(
        (outcome.ending, outcome.stdout),
        (Ending::Exited(0), b"shared".to_vec()),
        "{}",
        outcome.log
    );
}

#[test]
fn the_network_is_what_was_granted() {
    let lab = Lab::new();
    let listeners = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let [granted, other] = listeners
        .each_ref()
        .map(|listener| listener.local_addr().unwrap().port());
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let some = || Network::Ports([granted, free].into());

    let check = |act: &str, port: u16, network: Network, expected: bool| {
        assert_eq!(
            lab.can(act, &port.to_string(), network.clone()),
            expected,
            "{act} {port} with {network:?}"
        );
    };
    check("connect", granted, Network::Off, false);
    check("connect", granted, some(), true);
    check("connect", other, some(), false);
    check("connect", other, Network::Full, true);
    check("listen", free, Network::Off, false);
    check("listen", free, some(), true);
    check("listen", 0, some(), false);
    check("listen", 0, Network::Full, true);
    check("udp", 0, Network::Off, false);
    check("udp", granted, some(), false);
    check("udp", 0, Network::Full, true);
}

#[test]
fn unix_sockets_are_refused_and_pairs_are_not() {
    let lab = Lab::new();
    let stream = lab.path().join("stream");
    let datagram = lab.path().join("datagram");
    let _stream = UnixListener::bind(&stream).unwrap();
    let _datagram = UnixDatagram::bind(&datagram).unwrap();
    for network in [Network::Off, Network::Full] {
        assert!(!lab.can("unix", stream.to_str().unwrap(), network.clone()));
        assert!(!lab.can("unix-datagram", datagram.to_str().unwrap(), network.clone()));
        assert!(!lab.can(
            "unix-datagram-pair",
            datagram.to_str().unwrap(),
            network.clone()
        ));
        assert!(lab.can("unix-pair", "", network));
    }
}

#[test]
fn the_parent_gets_no_signal() {
    let lab = Lab::new();
    if lab.sandbox.describe().contains("nor signals") {
        println!("skipped: this kernel cannot stop signals");
        return;
    }
    assert!(!lab.can("signal", "", Network::Off));
    assert!(
        Lab::with(true).can("signal", "", Network::Off),
        "without a sandbox the act itself works"
    );
}

#[test]
fn system_calls_that_no_step_needs_are_refused() {
    if !Path::new("/usr/bin/python3").exists() {
        println!("skipped: there is no /usr/bin/python3");
        return;
    }
    let lab = Lab::new();
    let script = r#"
import ctypes, errno, os, platform, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(name, number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(number, *arguments)
    print(name, "possible" if result >= 0 else errno.errorcode[ctypes.get_errno()])
x86 = platform.machine() == "x86_64"
call("ptrace", 101 if x86 else 117, 16, os.getppid(), 0, 0)
call("io_uring_setup", 425, 1, 0)
call("unshare", 272 if x86 else 97, 0x10000000)
call("clone_newuser", 56 if x86 else 220, 0x10000000 | 17, 0, 0, 0, 0)
call("clone3", 435, 0, 0)
call("mount", 165 if x86 else 40, 0, 0, 0, 0, 0)
call("bpf", 321 if x86 else 280, 0, 0, 0)
call("keyctl", 250 if x86 else 219, 0, 0)
limit = (ctypes.c_uint64 * 2)(2**64 - 1, 2**64 - 1)
call("prlimit_other", 302 if x86 else 261, os.getppid(), 0, limit, 0)
call("prlimit_look", 302 if x86 else 261, os.getpid(), 0, 0, limit)
call("prlimit_own", 302 if x86 else 261, 0, 0, limit, 0)
if x86: call("x32_ptrace", 0x40000000 + 521, 16, os.getppid(), 0, 0)
if x86: call("x32_socket", 0x40000000 + 41, 1, 1, 0)
for name, arguments in {
    "mptcp": (socket.AF_INET, socket.SOCK_STREAM, 262), "sctp": (socket.AF_INET, socket.SOCK_STREAM, 132),
    "raw": (socket.AF_INET, socket.SOCK_RAW, 1), "icmp": (socket.AF_INET, socket.SOCK_DGRAM, 1),
    "packet": (socket.AF_PACKET, socket.SOCK_RAW, 0), "vsock": (40, socket.SOCK_STREAM, 0), "alg": (38, 5, 0),
    "netlink_audit": (socket.AF_NETLINK, socket.SOCK_RAW, 9), "netlink_route": (socket.AF_NETLINK, socket.SOCK_RAW, 0),
    "tcp": (socket.AF_INET, socket.SOCK_STREAM, 6), "tcp6": (socket.AF_INET6, socket.SOCK_STREAM, 0),
}.items():
    try:
        socket.socket(*arguments); print(name, "possible")
    except OSError as error:
        print(name, errno.errorcode[error.errno])
try:
    socket.socket().sendto(b"x", 0x20000000, ("127.0.0.1", PORT)); print("fast_open", "possible")
except OSError as error:
    print("fast_open", errno.errorcode[error.errno])
"#;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let script = script.replace("PORT", &listener.local_addr().unwrap().port().to_string());
    let mut command = lab.command(&["/usr/bin/python3", "-c", &script]);
    command.policy.network = Network::Ports([1].into());
    let outcome = lab.run(&command);
    assert_eq!(outcome.ending, Ending::Exited(0), "{}", outcome.log);
    for line in String::from_utf8(outcome.stdout).unwrap().lines() {
        let (name, result) = line.split_once(' ').unwrap();
        let expected = match name {
            "tcp" | "tcp6" | "netlink_route" | "prlimit_look" | "prlimit_own" => "possible",
            "clone3" | "x32_ptrace" | "x32_socket" => "ENOSYS",
            _ => "EPERM",
        };
        assert_eq!(result, expected, "{name}");
    }
}

#[test]
fn root_is_nobody_special_inside() {
    let lab = Lab::new();
    let outcome = lab.run(
        &lab.shell("grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status"),
    );
    for line in String::from_utf8(outcome.stdout).unwrap().lines() {
        let (name, value) = line.split_once(":\t").unwrap();
        match name {
            "NoNewPrivs" => assert_eq!(value, "1"),
            "Seccomp" => assert_eq!(value, "2"),
            // Without privileges the bounding set stays, and nothing can be gained from it.
            "CapBnd" if !rustix::process::geteuid().is_root() => {}
            _ => assert_eq!(value, "0000000000000000", "{name}"),
        }
    }
}

#[test]
fn a_daemon_that_holds_our_output_is_not_waited_for() {
    let lab = Lab::new();
    let outcome = lab.run(&lab.shell("setsid sh -c 'sleep 60 & sleep 61' & sleep 0.5; echo done"));
    assert_eq!(outcome.ending, Ending::Exited(0));
    assert_eq!(outcome.stdout, b"done\n");
    assert!(outcome.left_behind >= 2, "{}", outcome.left_behind);
    assert!(
        outcome.duration < Duration::from_secs(5),
        "{:?}",
        outcome.duration
    );
}

#[test]
fn what_ends_by_itself_at_once_is_not_left_behind() {
    let lab = Lab::new();
    let outcome = lab.run(&lab.shell("sleep 0.03 & exit 0"));
    assert_eq!(outcome.left_behind, 0);
}

#[test]
fn every_one_of_many_sleepers_is_ended_and_counted() {
    let lab = Lab::new();
    let script = "for n in $(seq 50); do (trap '' TERM; setsid sleep 60) & done; sleep 0.5; echo $(pgrep -c -f 'sleep 60')";
    let outcome = lab.run(&lab.shell(script));
    assert_eq!(outcome.ending, Ending::Exited(0));
    assert!(outcome.left_behind >= 50, "{}", outcome.left_behind);
    assert!(
        outcome.duration < Duration::from_secs(10),
        "{:?}",
        outcome.duration
    );
}

#[test]
fn commands_that_fork_without_end_are_ended() {
    let lab = Lab::new();
    let check = |script: &str| {
        let mut command = lab.shell(script);
        command.timeout = Duration::from_millis(500);
        let outcome = lab.run(&command);
        assert_eq!(outcome.ending, Ending::TimedOut);
        assert!(
            outcome.duration < Duration::from_secs(8),
            "{script}: {:?}",
            outcome.duration
        );
        assert_eq!(descendants_with(&lab.path()), Vec::<i32>::new(), "{script}");
    };
    // Each generation replaces itself, so that who looks for it in `/proc` finds its parent.
    check(
        "trap '' TERM; f() { sleep 0.01; (f &) ; }; for n in 1 2 3 4 5; do (f &); done; sleep 60",
    );
    check("trap '' TERM; f() { (f &) ; }; for n in 1 2 3; do (f &); done; sleep 60");
    fs::write(lab.path().join("again"), "trap '' TERM; setsid sh again &").unwrap();
    check("trap '' TERM; for n in 1 2 3; do sh again & done; sleep 60");
}

#[test]
fn a_timeout_asks_first_and_then_insists() {
    let lab = Lab::new();
    let check = |script: &str, most: Duration, said: &[u8]| {
        let mut command = lab.shell(script);
        command.timeout = Duration::from_millis(300);
        let outcome = lab.run(&command);
        assert_eq!(outcome.ending, Ending::TimedOut, "{script}");
        assert!(outcome.duration < most, "{script}: {:?}", outcome.duration);
        assert_eq!(outcome.stdout, said, "{script}");
    };
    check("sleep 60", Duration::from_secs(2), b"");
    check(
        "trap 'sleep 0.1; echo bye; exit 0' TERM; sleep 60 & wait",
        Duration::from_secs(2),
        b"bye\n",
    );
    check(
        "trap '' TERM; while :; do sleep 1; done",
        Duration::from_secs(8),
        b"",
    );
    check("kill -STOP $$; sleep 60", Duration::from_secs(8), b"");
}

#[test]
fn another_thread_cancels_and_the_waiter_wakes_at_once() {
    let lab = Lab::new();
    let cancel = Cancel::new();
    let command = lab.shell("echo started; sleep 60");
    let other = cancel.clone();
    let mut on_line = |_: &str| other.cancel();
    let outcome = lab.sandbox.run(&command, &cancel, &mut on_line).unwrap();
    assert_eq!(outcome.ending, Ending::Cancelled);
    assert!(
        outcome.duration < Duration::from_secs(2),
        "{:?}",
        outcome.duration
    );

    let outcome = lab.sandbox.run(&command, &cancel, &mut |_| {}).unwrap();
    assert_eq!(
        (outcome.ending, outcome.log.as_str()),
        (Ending::Cancelled, ""),
        "cancelled before it began"
    );
}

#[test]
fn much_output_is_bounded_and_says_so() {
    let lab = Lab::new();
    let outcome = lab
        .run(&lab.shell("echo first; yes 'a line of output' | head -c 67108864; echo; echo last"));
    assert_eq!(outcome.ending, Ending::Exited(0));
    assert!(outcome.log.len() < 512 * 1024, "{}", outcome.log.len());
    assert!(outcome.log.starts_with("first\n") && outcome.log.ends_with("last\n"));
    assert!(outcome.log.contains("bytes left out …\n"));
    assert_eq!(
        outcome.stdout.len() as u64 + outcome.stdout_left_out,
        67_108_864 + 6 + 1 + 5
    );

    let outcome = lab.run(&lab.shell("head -c 20000000 /dev/zero"));
    assert_eq!(outcome.ending, Ending::Exited(0), "no newline at all");
    assert!(outcome.log.len() < 512 * 1024);
}

#[test]
fn a_slow_reader_makes_the_command_wait_and_loses_nothing() {
    let lab = Lab::new();
    let mut lines = 0;
    let mut on_line = |_: &str| {
        lines += 1;
        if lines % 1000 == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let outcome = lab
        .sandbox
        .run(&lab.shell("seq 20000"), &Cancel::new(), &mut on_line)
        .unwrap();
    assert_eq!((outcome.ending, lines), (Ending::Exited(0), 20_000));
}

#[test]
fn a_background_command_ends_with_its_owner() {
    let lab = Lab::new();
    let background = lab
        .sandbox
        .start(&lab.shell("echo $$ > pid; echo up; sleep 60"))
        .unwrap();
    wait_until(|| !background.last_lines().is_empty());
    assert_eq!(background.last_lines(), ["up"]);
    assert!(!background.has_ended());
    let pid = fs::read_to_string(lab.path().join("pid")).unwrap();
    assert!(alive(pid.trim()));
    drop(background);
    assert!(!alive(pid.trim()));
}

#[test]
fn a_background_command_outlives_the_thread_that_started_it() {
    let lab = Lab::new();
    let command = lab.shell("sleep 60");
    let sandbox = lab.sandbox.clone();
    let background = std::thread::spawn(move || sandbox.start(&command))
        .join()
        .unwrap()
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert!(!background.has_ended());
    assert_eq!(background.stop().unwrap().ending, Ending::Cancelled);
}

#[test]
fn a_launcher_that_is_asked_to_end_still_cleans_up() {
    let lab = Lab::new();
    let background = lab
        .sandbox
        .start(&lab.shell("echo $PPID; sleep 60 & sleep 60"))
        .unwrap();
    wait_until(|| !background.last_lines().is_empty());
    let launcher = background.last_lines()[0].clone();
    kill_process(pid(&launcher), Signal::TERM).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert!(alive(&launcher) && !background.has_ended());
    drop(background);
    assert_eq!(descendants_with(&lab.path()), Vec::<i32>::new());
}

#[test]
fn a_launcher_that_was_killed_takes_its_command_along_and_is_no_result() {
    let lab = Lab::new();
    let kill = &mut |line: &str| kill_process(pid(line), Signal::KILL).unwrap();
    let error = lab
        .sandbox
        .run(
            &lab.shell("echo $PPID; exec sleep 60"),
            &Cancel::new(),
            kill,
        )
        .unwrap_err();
    assert!(
        error.to_string().contains("launcher ended early"),
        "{error:#}"
    );
    wait_until(|| descendants_with(&lab.path()).is_empty());
}

#[test]
fn many_commands_at_once_do_not_hold_each_other_up() {
    let lab = Lab::new();
    std::thread::scope(|scope| {
        for worker in 0..8 {
            let lab = &lab;
            scope.spawn(move || {
                for round in 0..10 {
                    let outcome = lab.run(&lab.shell(&format!("echo {worker} {round}")));
                    assert_eq!(outcome.log, format!("{worker} {round}\n"));
                    assert!(
                        outcome.duration < Duration::from_secs(5),
                        "{:?}",
                        outcome.duration
                    );
                }
            });
        }
    });
}

#[test]
fn nothing_is_left_two_seconds_after_we_were_killed() {
    let lab = Lab::new();
    let mut orchestrator = std::process::Command::new(own_file())
        .args(["--exact", "actor", "--ignored", "--nocapture"])
        .envs([
            ("ACT", "orchestrate".as_ref()),
            ("ARGUMENT", lab.path().as_os_str()),
        ])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until(|| fs::read_to_string(lab.path().join("ready")).is_ok());
    assert!(descendants_with(&lab.path()).len() >= 3);
    orchestrator.kill().unwrap();
    orchestrator.wait().unwrap();
    let killed = Instant::now();
    wait_until(|| descendants_with(&lab.path()).is_empty());
    assert!(
        killed.elapsed() < Duration::from_secs(2),
        "{:?}",
        killed.elapsed()
    );
}

/// What the killed orchestrator was doing: a command with a daemon, and children that ignore signals.
fn orchestrate_for_ever(folder: &Path) {
    let sandbox = Sandbox::with_launcher(launcher(), false).unwrap();
    let script = "trap '' TERM HUP; setsid sh -c 'sleep 300 & sleep 301' & sleep 302 & sleep 0.2; touch ready; sleep 303";
    let command = Command {
        argv: ["sh", "-c", script].map(str::to_owned).into(),
        directory: folder.to_owned(),
        environment: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        policy: Policy {
            write: vec![folder.to_owned()],
            ..Policy::default()
        },
        timeout: Duration::from_secs(600),
    };
    sandbox.run(&command, &Cancel::new(), &mut |_| {}).unwrap();
}

#[test]
fn without_a_sandbox_everything_is_possible_and_still_ended() {
    let lab = Lab::with(true);
    assert_eq!(lab.sandbox.name(), "none");
    assert!(
        lab.sandbox
            .describe()
            .starts_with("none: nothing is held back")
    );
    let outside = tempfile::tempdir().unwrap();
    assert!(lab.can(
        "write",
        outside.path().join("file").to_str().unwrap(),
        Network::Off
    ));
    let outcome = lab.run(&lab.shell("setsid sleep 60 & exit 3"));
    assert_eq!(
        (outcome.ending, outcome.left_behind),
        (Ending::Exited(3), 1)
    );
}

#[test]
fn the_tier_says_what_holds() {
    let sandbox = Lab::new().sandbox;
    assert_eq!(sandbox.name(), "landlock");
    let line = sandbox.describe();
    assert!(
        line.starts_with("landlock ABI ") && line.contains("does not stop chmod or utime"),
        "{line}"
    );
    assert!(!line.contains('\n'));
}

#[test]
fn the_probe_leaves_nothing_in_the_temporary_folder() {
    let own = format!("orchestrate-probe-{}-", std::process::id());
    Lab::new();
    let names = fs::read_dir(std::env::temp_dir())
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name());
    let ours = names.filter(|name| name.to_string_lossy().starts_with(&own));
    // Tests beside this one probe too, each for some milliseconds.
    assert!(ours.count() < 20);
}

#[test]
#[ignore = "needs redis-server"]
fn a_redis_of_our_own_answers_and_goes() {
    let lab = Lab::new();
    let path = OsStr::new("/usr/local/bin:/usr/bin:/bin");
    let provided = provide_redis(None, path, &lab.path(), &lab.sandbox).unwrap();
    let Provided::Real {
        how,
        environment,
        ports,
        running,
    } = provided
    else {
        panic!("{provided:?}");
    };
    let port = *ports.first().unwrap();
    assert!(
        how.starts_with("redis-server ")
            && how.ends_with(&format!(" started for this step on port {port}")),
        "{how}"
    );
    assert_eq!(
        environment["REDIS_URL"],
        format!("redis://127.0.0.1:{port}/0")
    );

    let found = provide_redis(
        environment.get("REDIS_URL").map(String::as_str),
        path,
        &lab.path(),
        &lab.sandbox,
    )
    .unwrap();
    assert!(
        matches!(found, Provided::Real { ref how, .. } if how == "REDIS_URL"),
        "{found:?}"
    );
    assert!(lab.can("connect", &port.to_string(), Network::Ports(ports)));
    drop(running);
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
}

#[test]
fn without_a_redis_server_a_step_gets_a_substitute() {
    let lab = Lab::new();
    let provided = provide_redis(
        None,
        OsStr::new("/no/such/folder"),
        &lab.path(),
        &lab.sandbox,
    )
    .unwrap();
    assert!(
        matches!(provided, Provided::Substitute { .. }),
        "{provided:?}"
    );
}

/// Builds an environment with what PATH has, and returns it with the lines said.
fn build(
    lab: &Lab,
    cache: &Path,
    path: &OsStr,
    requirements: &[&str],
) -> anyhow::Result<(PythonEnvironment, Vec<String>)> {
    let requirements: Vec<String> = requirements.iter().map(|&text| text.to_owned()).collect();
    let mut lines = Vec::new();
    let mut on_line = |line: &str| lines.push(line.to_owned());
    let built = find_python(path)?.ensure(
        cache,
        &requirements,
        &lab.sandbox,
        &Cancel::new(),
        &mut on_line,
    )?;
    Ok((built, lines))
}

#[test]
#[ignore = "needs python3 and a package index"]
fn a_python_environment_is_built_once_and_works_in_a_step() {
    let lab = Lab::new();
    let cache = tempfile::tempdir().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let (environment, lines) = build(&lab, cache.path(), &path, &["idna>=3", "iniconfig"]).unwrap();
    assert!(!lines.is_empty());

    let mut command = lab.command(&[
        "python",
        "-c",
        "import idna, iniconfig, sys; print(sys.prefix)",
    ]);
    command.environment.insert(
        "PATH".to_owned(),
        format!("{}:/usr/bin:/bin", environment.bin.display()),
    );
    command.policy.read.extend(environment.read.clone());
    let outcome = lab.run(&command);
    assert_eq!(outcome.log.trim(), environment.root.to_str().unwrap());
    let touch = format!("touch {}/new", environment.root.display());
    command.argv = ["sh", "-c", &touch].map(str::to_owned).into();
    assert_ne!(
        lab.run(&command).ending,
        Ending::Exited(0),
        "a step cannot change it"
    );

    let (again, lines) = build(&lab, cache.path(), &path, &["iniconfig", "idna>=3"]).unwrap();
    assert_eq!(
        (again, lines),
        (environment.clone(), Vec::new()),
        "a second time nothing is built"
    );

    fs::remove_file(environment.root.join("ready")).unwrap();
    fs::write(environment.root.join("half"), "").unwrap();
    let (rebuilt, _) = build(&lab, cache.path(), &path, &["idna>=3", "iniconfig"]).unwrap();
    assert!(
        !rebuilt.root.join("half").exists(),
        "half a build is built anew"
    );
}

#[test]
#[ignore = "needs python3 and a package index"]
fn a_package_that_does_not_exist_is_said_with_the_tools_words() {
    let lab = Lab::new();
    let cache = tempfile::tempdir().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let error = build(&lab, cache.path(), &path, &["idna==0.0.0.1"]).unwrap_err();
    let text = format!("{error:#}");
    assert!(
        text.starts_with("cannot build the Python environment: `") && text.contains("idna"),
        "{text}"
    );
    let rest: Vec<_> = fs::read_dir(cache.path().join("environments"))
        .unwrap()
        .flatten()
        .collect();
    assert!(
        rest.iter()
            .all(|entry| !entry.path().join("ready").exists())
    );
}

#[test]
#[ignore = "needs python3 with its venv module"]
fn two_who_want_the_same_environment_build_it_once() {
    let lab = Lab::new();
    let cache = tempfile::tempdir().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let work = || build(&lab, cache.path(), &path, &[]).unwrap();
    let ((first, said), (second, also_said)) = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        (work(), other.join().unwrap())
    });
    assert_eq!(first, second);
    let waited = "waiting for another process that builds the same Python environment";
    assert!([said, also_said].iter().any(|lines| lines == &[waited]));
    let names = fs::read_dir(cache.path().join("environments"))
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name());
    assert_eq!(names.count(), 2, "the environment and its lock");
}

#[test]
fn without_python_a_person_is_told_what_to_install() {
    let error = find_python(OsStr::new("/no/such/folder")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is neither `python3` nor `uv` in PATH"
    );
}

fn make_executable(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

fn wait_until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "waited for too long");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn pid(number: &str) -> Pid {
    Pid::from_raw(number.trim().parse().unwrap()).unwrap()
}

fn alive(number: &str) -> bool {
    test_kill_process(pid(number)).is_ok()
}

/// Returns the living processes whose current folder is `folder`.
fn descendants_with(folder: &Path) -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder))
        .collect()
}
