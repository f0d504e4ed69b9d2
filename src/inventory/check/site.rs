//! Customers, regions, devices and uplinks, each by itself.

use std::collections::{BTreeMap, HashMap};

use meter95_reading::PortKey;

use super::Problems;
use crate::inventory::document::Document;
use crate::inventory::document::site::{ContactEntry, DeviceEntry, UplinkEntry};
use crate::inventory::place::{Kind, Place};
use crate::inventory::{Contact, Customer, Device, Lag, Region, Uplink};
use crate::metering::units::Bps;

/// The customers of `document` by id.
pub(super) fn customers(problems: &mut Problems, document: &Document) -> BTreeMap<String, Customer> {
    let mut customers = BTreeMap::new();
    for (i, entry) in document.customers.iter().enumerate() {
        let at = Place::entry(Kind::Customer, i, &entry.id);
        problems.name(&at, "id", &entry.id);
        problems.text(&at, "name", entry.name.as_deref().unwrap_or_default());
        let contacts = entry.contacts.iter().enumerate();
        let contacts = contacts.map(|(i, entry)| contact(problems, &at.item("contacts", i), entry)).collect();
        let customer = Customer { id: entry.id.clone(), name: entry.name.clone(), contacts };
        problems.insert(&at, &mut customers, customer);
    }
    customers
}

fn contact(problems: &mut Problems, at: &Place, entry: &ContactEntry) -> Contact {
    problems.name(at, "name", &entry.name);
    for (field, text) in [("email", &entry.email), ("phone", &entry.phone), ("webhook", &entry.webhook)] {
        if let Some(text) = text {
            problems.name(at, field, text);
        }
    }
    if let Some(email) = &entry.email
        && !email.is_empty()
        && !email.split_once('@').is_some_and(|(who, host)| !who.is_empty() && !host.is_empty())
    {
        problems.add(&at.on("email"), format!("email {email:?} is not an address such as noc@example.com"));
    }
    Contact {
        name: entry.name.clone(),
        email: entry.email.clone(),
        phone: entry.phone.clone(),
        webhook: entry.webhook.clone(),
        language: entry.language,
    }
}

/// The regions of `document` by id.
pub(super) fn regions(problems: &mut Problems, document: &Document) -> BTreeMap<String, Region> {
    let mut regions = BTreeMap::new();
    for (i, entry) in document.regions.iter().enumerate() {
        let at = Place::entry(Kind::Region, i, &entry.id);
        problems.name(&at, "id", &entry.id);
        problems.text(&at, "name", entry.name.as_deref().unwrap_or_default());
        let region = Region { id: entry.id.clone(), name: entry.name.clone() };
        problems.insert(&at, &mut regions, region);
    }
    regions
}

/// The devices of `document` by name.
pub(super) fn devices(
    problems: &mut Problems,
    document: &Document,
    regions: &BTreeMap<String, Region>,
) -> BTreeMap<String, Device> {
    let mut devices = BTreeMap::new();
    for (i, entry) in document.devices.iter().enumerate() {
        let at = Place::entry(Kind::Device, i, &entry.id);
        problems.name(&at, "id", &entry.id);
        if let Some(region) = &entry.region {
            problems.name(&at, "region", region);
            problems.listed(&at, "region", Kind::Region, region, regions);
        }
        let lags = lags(problems, &at, entry);
        let device = Device { id: entry.id.clone(), region: entry.region.clone(), lags };
        problems.insert(&at, &mut devices, device);
    }
    devices
}

/// The LAGs of a device: an interface is one of them, or a member of one, or neither.
fn lags(problems: &mut Problems, device: &Place, entry: &DeviceEntry) -> Vec<Lag> {
    let mut lags: HashMap<&str, usize> = HashMap::new();
    for (i, lag) in entry.lags.iter().enumerate() {
        let at = device.item("lags", i);
        problems.name(&at, "interface", &lag.interface);
        if lags.insert(&lag.interface, i).is_some() {
            problems.add(&at.on("interface"), format!("there are two LAGs {:?}", lag.interface));
        }
    }
    let mut members: HashMap<&str, &str> = HashMap::new();
    for (i, lag) in entry.lags.iter().enumerate() {
        for (j, member) in lag.members.iter().enumerate() {
            let at = device.item("lags", i).item("members", j);
            if member.is_empty() {
                problems.add(&at, "a member is empty");
            } else if lags.contains_key(member.as_str()) {
                problems.add(&at, format!("{member:?} is a LAG itself"));
            } else if let Some(other) = members.insert(member, &lag.interface) {
                problems.add(&at, format!("{member:?} is a member of LAG {other:?} already"));
            }
        }
    }
    let lag = |lag: &crate::inventory::document::site::LagEntry| Lag {
        interface: lag.interface.clone(),
        members: lag.members.clone(),
    };
    entry.lags.iter().map(lag).collect()
}

/// The uplinks of `document` by id.
pub(super) fn uplinks(
    problems: &mut Problems,
    document: &Document,
    regions: &BTreeMap<String, Region>,
    devices: &BTreeMap<String, Device>,
) -> BTreeMap<String, Uplink> {
    let mut uplinks = BTreeMap::new();
    for (i, entry) in document.uplinks.iter().enumerate() {
        let at = Place::entry(Kind::Uplink, i, &entry.id);
        problems.name(&at, "id", &entry.id);
        problems.name(&at, "region", &entry.region);
        problems.listed(&at, "region", Kind::Region, &entry.region, regions);
        problems.listed(&at, "device", Kind::Device, &entry.device, devices);
        shared_by(problems, &at, entry, devices);
        if let Some(uplink) = uplink(problems, &at, entry) {
            problems.insert(&at, &mut uplinks, uplink);
        }
    }
    uplinks
}

/// Looks at the devices whose servers share an uplink: each is there, once, and where the uplink is.
fn shared_by(
    problems: &mut Problems,
    uplink: &Place,
    entry: &UplinkEntry,
    devices: &BTreeMap<String, Device>,
) {
    for (i, device) in entry.devices.iter().enumerate() {
        let at = uplink.item("devices", i);
        if device.is_empty() {
            problems.add(&at, "a device is empty");
        } else if !devices.is_empty() && !devices.contains_key(device) {
            problems.add(&at, format!("there is no device {device:?}"));
        } else if entry.devices[..i].contains(device) {
            problems.add(&at, format!("device {device:?} is listed twice"));
        } else if let Some(region) = devices.get(device).and_then(|device| device.region.as_ref())
            && *region != entry.region
        {
            problems.add(
                &at,
                format!("device {device:?} is in region {region:?}, the uplink in {:?}", entry.region),
            );
        }
    }
}

fn uplink(problems: &mut Problems, at: &Place, entry: &UplinkEntry) -> Option<Uplink> {
    let (from, until) = problems.span(at, ["from", "until"], entry.from, entry.until);
    if entry.speed_bps == 0 {
        problems.add(&at.on("speed_bps"), "speed_bps is 0");
    }
    let port = problems.take(at, PortKey::new(&entry.device, &entry.interface))?;
    let UplinkEntry { id, region, devices, .. } = entry.clone();
    Some(Uplink { id, region, devices, port, speed: Bps(entry.speed_bps), from, until })
}
