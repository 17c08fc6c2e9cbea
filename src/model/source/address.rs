//! The parts of a URL, or of git's `user@host:path`.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An address taken apart; nothing in it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// `ssh` for `user@host:path`.
    pub scheme: &'a str,
    pub user: Option<&'a str>,
    /// Without the brackets around an address of version 6.
    pub host: &'a str,
    pub port: Option<&'a str>,
    /// With the slash it begins with in a URL.
    pub path: &'a str,
}

impl<'a> Address<'a> {
    /// Returns the parts, or none where it is no address at all.
    pub fn read(text: &'a str) -> Option<Address<'a>> {
        let Some((scheme, rest)) = text.split_once("://") else {
            let (who, path) = text.split_once(':')?;
            let (user, host) = who.split_once('@')?;
            return Some(Address {
                scheme: "ssh",
                user: Some(user),
                host,
                port: None,
                path,
            });
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, server) = match authority.rsplit_once('@') {
            Some((user, server)) => (Some(user), server),
            None => (None, authority),
        };
        let (host, port) = split_port(server);
        Some(Address {
            scheme,
            user,
            host,
            port,
            path,
        })
    }

    /// Says whether the text is meant as an address: a URL, `user@host:path`, or a `helper::address` of git.
    pub fn looks_like_one(text: &str) -> bool {
        text.contains("://") || text.contains("::") || Address::read(text).is_some()
    }

    /// Says whether the host is written as a name or a number that stands for one host.
    pub fn has_plain_host(&self) -> bool {
        let host = self.host;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let is_name = !host.is_empty()
            && !host.starts_with(['-', '.'])
            && host.len() <= 253
            && host.chars().all(plain);
        let is_v6 = host.contains(':') && host.parse::<Ipv6Addr>().is_ok();
        is_v6 || (is_name && (!ends_in_number(host) || host.parse::<Ipv4Addr>().is_ok()))
    }

    /// Says whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        let name = self.host.trim_end_matches('.').to_ascii_lowercase();
        let v4 = |ip: Ipv4Addr| ip.is_loopback() || ip.is_unspecified();
        let is_v6 = |ip: Ipv6Addr| {
            ip.is_loopback() || ip.is_unspecified() || ip.to_ipv4_mapped().is_some_and(v4)
        };
        name == "localhost"
            || name.ends_with(".localhost")
            || name.parse().is_ok_and(v4)
            || name.parse().is_ok_and(is_v6)
    }

    /// Says whether the host is this machine, or one that answers only those beside it, such as a cloud's metadata service.
    pub fn is_near(&self) -> bool {
        let v4 = |ip: Ipv4Addr| ip.is_link_local();
        let v6 = |ip: Ipv6Addr| ip.is_unicast_link_local() || ip.to_ipv4_mapped().is_some_and(v4);
        self.is_loopback() || self.host.parse().is_ok_and(v4) || self.host.parse().is_ok_and(v6)
    }
}

fn split_port(server: &str) -> (&str, Option<&str>) {
    let Some(inner) = server.strip_prefix('[') else {
        return match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        };
    };
    match inner.split_once(']') {
        Some((host, "")) => (host, None),
        Some((host, behind)) => (host, Some(behind.strip_prefix(':').unwrap_or(behind))),
        None => (server, None),
    }
}

/// Says whether resolvers take the host for a number, as they do with `127.1`, `2130706433` and `0x7f.1`.
fn ends_in_number(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next();
    let last = last.unwrap_or_default().to_ascii_lowercase();
    let is_hex = |digits: &str| digits.bytes().all(|b| b.is_ascii_hexdigit());
    last.bytes().all(|b| b.is_ascii_digit()) || last.strip_prefix("0x").is_some_and(is_hex)
}
