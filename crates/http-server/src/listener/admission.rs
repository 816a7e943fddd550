//! How many connections each client has: one must not take the room of all.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use media::Host;

/// The clients of a listener, by host.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    most: usize,
    open: Arc<Mutex<HashMap<Host, usize>>>,
}

/// A connection that counts as its client's until this is dropped.
#[derive(Debug)]
pub(super) struct Admission {
    host: Host,
    clients: Clients,
}

impl Clients {
    /// Clients that may have `most` connections each.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            open: Arc::default(),
        }
    }

    /// One more connection from `address`; `None` if it has as many as it may have.
    pub(super) fn admit(&self, address: IpAddr) -> Option<Admission> {
        let host = address.into();
        let mut open = self.open();
        match open.entry(host) {
            Entry::Occupied(from_there) if *from_there.get() >= self.most => return None,
            Entry::Occupied(mut from_there) => *from_there.get_mut() += 1,
            Entry::Vacant(_) if self.most == 0 => return None,
            Entry::Vacant(nobody) => {
                nobody.insert(1);
            }
        }
        drop(open);
        Some(Admission {
            host,
            clients: self.clone(),
        })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Host, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut open = self.clients.open();
        if let Entry::Occupied(mut from_there) = open.entry(self.host) {
            *from_there.get_mut() -= 1;
            if *from_there.get() == 0 {
                from_there.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_count_and_nothing_is_kept_of_those_who_left() {
        let clients = Clients::new(2);
        let [a, b]: [IpAddr; 2] = [[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
        let first = clients.admit(a).expect("room");
        let second = clients.admit(a).expect("room");
        assert!(clients.admit(a).is_none());
        let other = clients.admit(b).expect("room for another");
        drop(first);
        let third = clients.admit(a).expect("room again");
        assert!(clients.admit(a).is_none());
        drop((second, third, other));
        assert!(clients.open().is_empty());
        assert!(Clients::new(0).admit(a).is_none());
    }

    #[test]
    fn a_host_is_one_client_whichever_of_its_addresses_it_takes() {
        let clients = Clients::new(1);
        let admit = |text: &str| clients.admit(text.parse().expect("an address"));
        let first = admit("2001:db8::1").expect("room");
        assert!(admit("2001:db8::2").is_none());
        assert!(admit("2001:db8:0:1::1").is_some());
        drop(first);
        assert!(admit("2001:db8::2").is_some());
    }
}
