//! Addresses as people write them: `tcp://HOST:PORT`.
//!
//! In comes text from a flag or a configuration; out comes a [`Scheme`], or an [`Authority`]
//! (host and port) that a socket can use, or an [`AddressError`] that tells a person what to
//! write instead. It resolves no name and opens nothing.

use std::fmt;
use std::net::Ipv6Addr;

use thiserror::Error;

/// What is wrong with the text of an address.
///
/// Every message gives the text, what is wrong with it and what is expected. It is final:
/// trying the same text again does not help.
///
/// # Examples
///
/// ```
/// use actix_multiplex::transport::connector;
///
/// assert_eq!(
///     connector("foo:1").unwrap_err().to_string(),
///     "address `foo:1` has no scheme: write tcp://HOST:PORT"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// There is no `://`.
    #[error("address `{text}` has no scheme: write tcp://HOST:PORT")]
    NoScheme {
        /// The address as given.
        text: String,
    },
    /// What stands before `://` is no transport that can be reached by an address.
    #[error("address `{text}` has the unknown scheme `{scheme}`: write tcp://HOST:PORT")]
    UnknownScheme {
        /// The address as given.
        text: String,
        /// Its scheme.
        scheme: String,
    },
    /// Nothing stands between `://` and the port.
    #[error(
        "address `{text}` has no host: write tcp://HOST:PORT, \
         with the host 0.0.0.0 or [::] to listen on every interface"
    )]
    NoHost {
        /// The address as given.
        text: String,
    },
    /// The host is neither a name nor an IP address.
    #[error(
        "address `{text}` has the host `{host}`, which is neither a name nor an IP address: \
         write tcp://HOST:PORT, an IPv6 host in brackets as in tcp://[::1]:PORT"
    )]
    BadHost {
        /// The address as given.
        text: String,
        /// Its host.
        host: String,
    },
    /// The host is not followed by a port; there is no port by default.
    #[error("address `{text}` has no port: write tcp://HOST:PORT")]
    NoPort {
        /// The address as given.
        text: String,
    },
    /// The port is no number of 16 bits.
    #[error(
        "address `{text}` has the port `{port}`: write tcp://HOST:PORT, \
         with a port from 0 to 65535 and nothing after it"
    )]
    BadPort {
        /// The address as given.
        text: String,
        /// Its port.
        port: String,
    },
    /// Port 0 means "any that is free" to a listener, and nothing to a connector.
    #[error(
        "address `{text}` has port 0, where nobody can be called: write tcp://HOST:PORT, \
         with the port from 1 to 65535 that the listener tells"
    )]
    PortZero {
        /// The address as given.
        text: String,
    },
}

/// A transport that has addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Plain TCP.
    Tcp,
}

impl Scheme {
    /// The scheme of an address; the rest of it is not looked at.
    pub(super) fn of(text: &str) -> Result<Self, AddressError> {
        split_scheme(text).map(|(scheme, _)| scheme)
    }
}

/// A host and a port, as a resolver takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    /// A name or an IP address, without brackets.
    pub(super) host: String,
    /// The port; 0 is for listeners.
    pub(super) port: u16,
}

impl Authority {
    /// Reads the address of a listener.
    pub(super) fn parse(text: &str) -> Result<Self, AddressError> {
        let (_, rest) = split_scheme(text)?;
        let (host, port) = split_port(rest);
        Ok(Self { host: read_host(text, host)?, port: read_port(text, port)? })
    }

    /// Reads the address of a connector, which needs a real port.
    pub(super) fn parse_remote(text: &str) -> Result<Self, AddressError> {
        match Self::parse(text)? {
            Self { port: 0, .. } => Err(AddressError::PortZero { text: text.into() }),
            authority => Ok(authority),
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

fn split_scheme(text: &str) -> Result<(Scheme, &str), AddressError> {
    match text.split_once("://") {
        None | Some(("", _)) => Err(AddressError::NoScheme { text: text.into() }),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tcp") => Ok((Scheme::Tcp, rest)),
        Some((scheme, _)) => {
            Err(AddressError::UnknownScheme { text: text.into(), scheme: scheme.into() })
        }
    }
}

/// Splits at the last colon outside brackets.
fn split_port(rest: &str) -> (&str, &str) {
    let after_brackets = rest.rfind(']').map_or(0, |at| at + 1);
    match rest[after_brackets..].rfind(':') {
        Some(at) => (&rest[..after_brackets + at], &rest[after_brackets + at + 1..]),
        None => (rest, ""),
    }
}

fn read_host(text: &str, host: &str) -> Result<String, AddressError> {
    let bracketed = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    match bracketed {
        _ if host.is_empty() => Err(AddressError::NoHost { text: text.into() }),
        Some(inner) if is_ipv6(inner) => Ok(inner.into()),
        None if is_name(host) => Ok(host.into()),
        _ => Err(AddressError::BadHost { text: text.into(), host: host.into() }),
    }
}

/// An IPv6 address, with a zone (`fe80::1%eth0`) where it is link-local.
fn is_ipv6(host: &str) -> bool {
    let (address, zone) = host.split_once('%').unwrap_or((host, "0"));
    address.parse::<Ipv6Addr>().is_ok() && is_name(zone)
}

/// A host name or an IPv4 address: which of them, the resolver tells.
fn is_name(host: &str) -> bool {
    !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

fn read_port(text: &str, port: &str) -> Result<u16, AddressError> {
    if port.is_empty() {
        return Err(AddressError::NoPort { text: text.into() });
    }
    // `u16::from_str` takes a leading plus, which no address has.
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let number = port.parse().ok().filter(|_| digits);
    number.ok_or_else(|| AddressError::BadPort { text: text.into(), port: port.into() })
}
