//! Networks that an address is in: one customer holds many addresses of IPv6.

use super::Limit;
use crate::{server::clock::Clock, wire};
use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

/// Sizes of IPv6 networks, the smallest first: the length of the prefix, and how many times the
/// tries of the smallest a network has. A host has a /64, a home a /56, a company a /48.
const SIZES: [(u32, u32); 3] = [(64, 1), (56, 4), (48, 16)];

/// One limit for each size of network. Addresses of IPv4 count by themselves.
pub(super) struct ByNetwork([Limit; SIZES.len()]);

impl ByNetwork {
    /// `tries` at once from the smallest network, and as many again in every `period`.
    pub fn new(clock: &Clock, tries: u32, period: Duration) -> Self {
        Self(SIZES.map(|(_, times)| Limit::new(clock.clone(), tries.saturating_mul(times), period)))
    }

    /// Takes one try of an address.
    pub fn take(&self, address: IpAddr) -> Result<(), wire::Error> {
        self.of(address)
            .try_for_each(|(limit, key)| limit.take(&key))
    }

    /// Gives one try of an address back.
    pub fn give_back(&self, address: IpAddr) {
        self.of(address)
            .for_each(|(limit, key)| limit.give_back(&key));
    }

    /// Limits of the networks of an address with its key in each, the smallest network first. A try
    /// that a smaller network refuses counts for no larger one.
    pub fn of(&self, address: IpAddr) -> impl Iterator<Item = (&Limit, String)> {
        let sizes = match address.to_canonical() {
            IpAddr::V4(_) => 1,
            IpAddr::V6(_) => SIZES.len(),
        };
        let limits = self.0.iter().zip(SIZES).take(sizes);
        limits.map(move |(limit, (bits, _))| (limit, key(address, bits)))
    }
}

/// Key of an address: one customer holds a whole /64 of IPv6.
pub(in crate::server) fn address_key(address: IpAddr) -> String {
    key(address, SIZES[0].0)
}

fn key(address: IpAddr, bits: u32) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{}/{bits}", Ipv6Addr::from(prefix(v6, bits))),
    }
}

fn prefix(address: Ipv6Addr, bits: u32) -> u128 {
    let rest = 128_u32.saturating_sub(bits);
    address.to_bits() & u128::MAX.checked_shl(rest).unwrap_or(0)
}

/// A network as large as one customer may hold: a /48 of IPv6, a /24 of IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(u128);

impl Network {
    /// The network of an address.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => prefix(v4.to_ipv6_mapped(), 96 + 24),
            IpAddr::V6(v6) => prefix(v6, 48),
        })
    }
}
