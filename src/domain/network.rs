//! Addresses that are named together.

use std::net::IpAddr;
use std::str::FromStr;

/// An address, or a network as in `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}` is neither an address nor a network such as 10.0.0.0/8");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.trim().parse().map_err(|_| refused())?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(whole), |bits| bits.trim().parse().map_err(|_| refused()))?;
        if bits > whole {
            return Err(refused());
        }
        Ok(Network { address, bits })
    }
}

impl Network {
    pub fn holds(&self, address: IpAddr) -> bool {
        let same = |own: u128, other: u128, whole: u8| {
            let shift = u32::from(whole - self.bits);
            own.checked_shr(shift).unwrap_or(0) == other.checked_shr(shift).unwrap_or(0)
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => same(u32::from(own).into(), u32::from(other).into(), 32),
            (IpAddr::V6(own), IpAddr::V6(other)) => same(own.into(), other.into(), 128),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read() {
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::1/129", "a"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.holds("192.0.2.1".parse().unwrap()) && !all.holds("2001:db8::1".parse().unwrap()));
    }
}
