//! What is refused, in the words in which people are told, and what is not.

use super::*;
use crate::metering::units::Bps;

fn check(toml: &str) -> Result<Inventory, String> {
    let document: Document = toml::from_str(toml).map_err(|e| e.to_string())?;
    Inventory::from_document(&document).map_err(|e| e.to_string())
}

#[test]
fn the_smallest_inventory_is_a_server_with_a_port() {
    let inventory =
        check("[[servers]]\nid = 'web01'\nports = [{ device = 'sw1', interface = 'ge-0/0/1' }]").unwrap();
    let server = &inventory.servers["web01"];
    assert_eq!(inventory.allowance_at(server, Timestamp(0)), Bps(1_000_000));
    assert_eq!(inventory.timezone_name, "Asia/Tokyo");
}

#[test]
fn contradictions_are_named() {
    for (toml, says) in [
        ("timezone = 'Asia/Edo'", "\"Asia/Edo\" is not a time zone"),
        ("[[plans]]\nid = 'a'\n[[plans]]\nid = 'a'", "plan \"a\": there are two plans"),
        ("[[plans]]\nid = 'a'\nprice_per_mbps = '-1'", "a price of -1 is below 0"),
        ("[[plans]]\nid = 'a'\nprice_per_mbps = '1'\ncurrency = 'YEN'", "\"YEN\" is not a currency"),
        ("[[plans]]\nid = 'a'\nprice_per_mbps = '1'", "has a price but no currency"),
        ("[[plans]]\nid = 'a'\ncurrency = 'JPY'\nprice_per_mbps = '1'\nunit_bps = 0", "unit_bps is 0"),
        ("[[plans]]\nid = 'a'\nallowance_bps = -1", "-1"),
        ("[[servers]]\nid = 's'\nplan = 'none'", "server \"s\": there is no plan \"none\""),
        ("[[servers]]\nid = 's'\nservice_start = '2026-10-01'", "\"2026-10-01\" is not an instant"),
        ("[[servers]]\nid = 's'\nservice_start = 2\nservice_end = 1", "is not after service_start"),
        ("[[servers]]\nid = 's'\naddons = [{ bps = 0 }]", "server \"s\": addons[0]: bps is 0"),
        (
            "[[servers]]\nid = 's'\nservice_end = 5\naddons = [{ bps = 1, from = 5 }]",
            "outside the server's service span",
        ),
        ("[[servers]]\nid = ''", "id is empty"),
        ("[[servers]]\nid = 's'\nports = [{ device = '', interface = 'x' }]", "ports[0]: device is empty"),
        (
            "[[servers]]\nid = 'a'\nports = [{ device = 'd', interface = 'x', until = 10 }]\n\
             [[servers]]\nid = 'b'\nports = [{ device = 'd', interface = 'x', from = 9 }]",
            "server \"b\": ports[0]: port \"x\" of device \"d\" belongs to server \"a\" at the same time",
        ),
        ("[[plans]]\nid = 'a'\nmin_coverage = 1.01", "min_coverage of 1.01 is not from 0 to 1"),
        ("[[plans]]\nid = 'a'\nreplaced_by = { plan = 'b', from = 1 }", "plan \"a\": there is no plan \"b\""),
        (
            "[[plans]]\nid = 'a'\nreplaced_by = { plan = 'b', from = 1 }\n\
             [[plans]]\nid = 'b'\nreplaced_by = { plan = 'a', from = 2 }",
            "plan \"a\": plans replace each other in a circle: \"a\" by \"b\" by \"a\"",
        ),
        (
            "[[plans]]\nid = 'a'\nreplaced_by = { plan = 'a', from = 1 }",
            "plan \"a\": plans replace each other in a circle: \"a\" by \"a\"",
        ),
        (
            "[[servers]]\nid = 's'\nplan_changes = [{ plan = 'b', from = 1 }]",
            "server \"s\": plan_changes[0]: there is no plan \"b\"",
        ),
        (
            "[[servers]]\nid = 's'\nplan_changes = [{ plan = 'default', from = 1 }, { plan = 'default', from = 1 }]",
            "plan_changes[1]: changes to plan \"default\" at 1970-01-01T00:00:00.001Z as well",
        ),
        ("[[servers]]\nid = 's'\nplan_changes = [{ plan = 'default' }]", "missing field `from`"),
        ("[[customers]]\nid = 'c'\n[[servers]]\nid = 's'", "server \"s\": customer is missing; it is one of"),
        (
            "[[customers]]\nid = 'c'\n[[servers]]\nid = 's'\ncustomer = 'd'",
            "server \"s\": customer: there is no customer \"d\"",
        ),
        ("[[customers]]\nid = 'c'\n[[customers]]\nid = 'c'", "customer \"c\": there are two customers"),
        (
            "[[customers]]\nid = 'c'\ncontacts = [{ name = 'x', email = 'nobody' }]",
            "customer \"c\": contacts[0]: email \"nobody\" is not an address",
        ),
        ("[[customers]]\nid = 'c'\ncontacts = [{ name = 'x', language = 'fr' }]", "unknown variant `fr`"),
        ("[[regions]]\nid = 'r'\n[[regions]]\nid = 'r'", "region \"r\": there are two regions"),
        ("[[regions]]\nid = 'r'\n[[servers]]\nid = 's'\nregion = 'q'", "region: there is no region \"q\""),
        (
            "[[regions]]\nid = 'r'\n[[devices]]\nid = 'd'\nregion = 'q'",
            "device \"d\": region: there is no region \"q\"",
        ),
        ("[[devices]]\nid = 'd'\n[[devices]]\nid = 'd'", "device \"d\": there are two devices"),
        (
            "[[devices]]\nid = 'd'\n[[servers]]\nid = 's'\nports = [{ device = 'e', interface = 'x' }]",
            "server \"s\": ports[0]: device: there is no device \"e\"",
        ),
        (
            "[[devices]]\nid = 'd'\n[[uplinks]]\nid = 'u'\nregion = 'r'\ndevice = 'e'\ninterface = 'x'\nspeed_bps = 1",
            "uplink \"u\": device: there is no device \"e\"",
        ),
        (
            "[[devices]]\nid = 'd'\nlags = [{ interface = 'a', members = ['x'] }, { interface = 'b', members = ['y', 'x'] }]",
            "device \"d\": lags[1].members[1]: \"x\" is a member of LAG \"a\" already",
        ),
        (
            "[[devices]]\nid = 'd'\nlags = [{ interface = 'a', members = ['x'] }]\n\
             [[servers]]\nid = 's'\nports = [{ device = 'd', interface = 'x' }, { device = 'd', interface = 'a' }]",
            "server \"s\": ports[0]: port \"x\" is a member of LAG \"a\" of device \"d\", which belongs to server \"s\"",
        ),
        (
            "[[servers]]\nid = 's'\nports = [{ device = 'd', interface = 'x' }]\n\
             [[uplinks]]\nid = 'u'\nregion = 'r'\ndevice = 'd'\ninterface = 'x'\nspeed_bps = 1",
            "uplink \"u\": port \"x\" of device \"d\" belongs to server \"s\" at the same time",
        ),
        (
            "[[uplinks]]\nid = 'u'\nregion = 'r'\ndevice = 'd'\ninterface = 'x'\nspeed_bps = 0\n\
             [[uplinks]]\nid = 'u'\nregion = 'r'\ndevice = 'd'\ninterface = 'x'\nspeed_bps = 1",
            "uplink \"u\": speed_bps is 0\nuplink \"u\": there are two uplinks of this id\n\
             uplink \"u\": port \"x\" of device \"d\" belongs to uplink \"u\" at the same time",
        ),
        ("[[pools]]\nid = 'p'\nplan = 'q'", "pool \"p\": there is no plan \"q\""),
        ("[[pools]]\nid = 'p'\n[[pools]]\nid = 'p'", "pool \"p\": there are two pools"),
        ("[[pools]]\nid = 's'\n[[servers]]\nid = 's'", "pool \"s\": a server has this id as well"),
        (
            "[[pools]]\nid = 'p'\nservers = [{ server = 's' }]",
            "pool \"p\": servers[0]: there is no server \"s\"",
        ),
        (
            "[[servers]]\nid = 's'\ncustomer = 'c'\n[[pools]]\nid = 'p'\ncustomer = 'd'\nservers = [{ server = 's' }]",
            "pool \"p\": servers[0]: server \"s\" is of customer \"c\", the pool of \"d\"",
        ),
        (
            "[[servers]]\nid = 's'\n[[pools]]\nid = 'p'\nservers = [{ server = 's' }]\n\
             [[pools]]\nid = 'q'\nservers = [{ server = 's', from = '2026-11-01T00:00:00+09:00' }]",
            "pool \"q\": servers[0]: server \"s\" is in pool \"p\" at the same time",
        ),
        (
            "[[servers]]\nid = 'a'\nports = [{ device = 'd', interface = 'x', check_only = true }]\n\
             [[servers]]\nid = 'b'\nports = [{ device = 'd', interface = 'x' }]",
            "server \"b\": ports[0]: port \"x\" of device \"d\" belongs to server \"a\" at the same time",
        ),
        (
            "[[devices]]\nid = 'd'\n[[uplinks]]\nid = 'u'\nregion = 'r'\ndevice = 'd'\ninterface = 'x'\nspeed_bps = 1\n\
             devices = ['e', '', 'd', 'd']",
            "uplink \"u\": devices[0]: there is no device \"e\"\n\
             uplink \"u\": devices[1]: a device is empty\n\
             uplink \"u\": devices[3]: device \"d\" is listed twice",
        ),
        (
            "[[devices]]\nid = 'd'\nregion = 'q'\n[[uplinks]]\nid = 'u'\nregion = 'r'\ndevice = 'd'\ninterface = 'x'\n\
             speed_bps = 1\ndevices = ['d']",
            "uplink \"u\": devices[0]: device \"d\" is in region \"q\", the uplink in \"r\"",
        ),
        (
            "[[customers]]\nid = 'c'\ncontacts = [{ name = 'x', webhook = '' }]",
            "customer \"c\": contacts[0]: webhook is empty",
        ),
        (
            "[[servers]]\nid = 's'\n[[pools]]\nid = 'p'\nservers = [{ server = 's', from = '2026-11-01T00:00:00Z' }]",
            "from 2026-11-01T00:00:00Z is not the first instant of a month; the nearest are \
             2026-11-01T00:00:00+09:00 and 2026-12-01T00:00:00+09:00",
        ),
    ] {
        let error = check(toml).unwrap_err();
        assert!(error.contains(says), "{toml}\n{error}");
    }
}

#[test]
fn policies_that_cannot_be_are_named() {
    for (policy, says) in [
        ("{ id = '' }", "policies[0]: id is empty"),
        ("{ id = 'p' }, { id = 'p', server = 's' }", "policy \"p\": there are two policies of this id"),
        ("{ id = 'p' }, { id = 'q' }", "policy \"q\": policy \"p\" is for the same servers at the same time"),
        (
            "{ id = 'p', region = 'r', until = 10 }, { id = 'q', region = 'r', from = 9 }",
            "policy \"q\": policy \"p\" is for the same servers at the same time",
        ),
        (
            "{ id = 'p', from = 10, until = 10 }",
            "policy \"p\": until 1970-01-01T00:00:00.01Z is not after from",
        ),
        ("{ id = 'p', region = 'x' }", "policy \"p\": region: no server is of region \"x\""),
        ("{ id = 'p', plan = 'x' }", "policy \"p\": there is no plan \"x\""),
        ("{ id = 'p', server = 'x' }", "policy \"p\": there is no server \"x\""),
        (
            "{ id = 'p', server = 's', region = 'r' }",
            "policy \"p\": is for a region, a plan or a server: write one",
        ),
        ("{ id = 'p', customer = 'c' }", "unknown field `customer`"),
        ("{ id = 'p', off = ['floods'] }", "unknown variant `floods`"),
        ("{ id = 'p', off = ['flood', 'flood'] }", "policy \"p\": off[1]: flood is listed twice"),
        (
            "{ id = 'p', flood = { slots = 1 }, off = ['uplink', 'flood'] }",
            "policy \"p\": off[1]: flood is off, and has limits in the same policy",
        ),
        (
            "{ id = 'p', sustained = { factor = 0 } }",
            "policy \"p\": sustained: factor of 0 is not from 1 to 18446744073709551615",
        ),
        (
            "{ id = 'p', sustained = { slots = 13, of = 12 } }",
            "policy \"p\": sustained: slots of 13 is not from 1 to of, which is 12",
        ),
        ("{ id = 'p', sustained = { slots = 0, of = 12 } }", "sustained: slots of 0 is not from 1 to of"),
        ("{ id = 'p', sustained = { slots = 1, of = 25 } }", "sustained: of of 25 is not from 1 to 24"),
        ("{ id = 'p', sustained = { slots = 11 } }", "sustained: slots goes together with of; write both"),
        ("{ id = 'p', sustained = { of = 11 } }", "sustained: of goes together with slots; write both"),
        ("{ id = 'p', locked_in = { factor = 0 } }", "locked_in: factor of 0 is not from 1"),
        ("{ id = 'p', uplink = { load_percent = 101 } }", "uplink: load_percent of 101 is not from 1 to 100"),
        ("{ id = 'p', uplink = { share_percent = 0 } }", "uplink: share_percent of 0 is not from 1 to 100"),
        ("{ id = 'p', flood = { packets_per_second = 0 } }", "flood: packets_per_second of 0 is not from 1"),
        ("{ id = 'p', flood = { mean_octets = 0 } }", "flood: mean_octets of 0 is not from 1"),
        ("{ id = 'p', flood = { slots = 25 } }", "flood: slots of 25 is not from 1 to 24"),
        ("{ id = 'p', release_percent = 101 }", "policy \"p\": release_percent of 101 is not from 1 to 100"),
        ("{ id = 'p', quiet_slots = 0 }", "policy \"p\": quiet_slots of 0 is not from 1 to 2016"),
    ] {
        let toml = format!("servers = [{{ id = 's', region = 'r' }}]\npolicies = [{policy}]");
        let error = check(&toml).unwrap_err();
        assert!(error.contains(says), "{toml}\n{error}");
    }
    // Where regions are listed, one that no server is in may still have a policy.
    let listed = "regions = [{ id = 'r' }]\npolicies = [{ id = 'p', region = 'r' }]";
    assert_eq!(check(listed).unwrap().policies.iter().count(), 1);
    let error = check("regions = [{ id = 'r' }]\npolicies = [{ id = 'p', region = 'x' }]").unwrap_err();
    assert!(error.contains("policy \"p\": region: there is no region \"x\""), "{error}");
}

#[test]
fn exemptions_that_cannot_be_are_named() {
    let long = "x".repeat(1_001);
    for (exemption, says) in [
        ("id = '', server = 's', reason = 'r', until = 1", "exemptions[0]: id is empty"),
        (
            "id = 'e', server = 's', reason = 'r', until = 1 }, { id = 'e', server = 's', reason = 'r', until = 1",
            "exemption \"e\": there are two exemptions of this id",
        ),
        (
            "id = 'e', reason = 'r', until = 1",
            "exemption \"e\": is for a server or for a customer: write one",
        ),
        (
            "id = 'e', server = 's', customer = 'c', reason = 'r', until = 1",
            "exemption \"e\": is for a server or for a customer: write one",
        ),
        ("id = 'e', server = 'x', reason = 'r', until = 1", "exemption \"e\": there is no server \"x\""),
        (
            "id = 'e', customer = 'x', reason = 'r', until = 1",
            "exemption \"e\": customer: no server is of customer \"x\"",
        ),
        ("id = 'e', server = 's', until = 1", "missing field `reason`"),
        ("id = 'e', server = 's', reason = ' ', until = 1", "exemption \"e\": reason is empty"),
        (
            &format!("id = 'e', server = 's', reason = '{long}', until = 1"),
            "exemption \"e\": reason is longer than 1000 octets",
        ),
        ("id = 'e', server = 's', reason = 'r'", "missing field `until`"),
        (
            "id = 'e', server = 's', reason = 'r', from = 1, until = 1",
            "exemption \"e\": until 1970-01-01T00:00:00.001Z is not after from",
        ),
        (
            "id = 'e', server = 's', reason = 'r', until = 1, rules = []",
            "exemption \"e\": rules is empty; leave it out for all rules",
        ),
        ("id = 'e', server = 's', reason = 'r', until = 1, rules = ['all']", "unknown variant `all`"),
        (
            "id = 'e', server = 's', reason = 'r', until = 1, rules = ['flood', 'flood']",
            "exemption \"e\": rules[1]: flood is listed twice",
        ),
    ] {
        let toml = format!("servers = [{{ id = 's', customer = 'c' }}]\nexemptions = [{{ {exemption} }}]");
        let error = check(&toml).unwrap_err();
        assert!(error.contains(says), "{toml}\n{error}");
    }
}

#[test]
fn a_port_that_is_only_compared_may_be_a_part_of_one_that_counts() {
    let devices = "devices = [{ id = 'd', lags = [{ interface = 'a', members = ['x', 'y'] }] }]\n";
    for (checked, counted) in [("x", "a"), ("a", "x")] {
        let toml = format!(
            "{devices}servers = [{{ id = 's', ports = [{{ device = 'd', interface = '{checked}', check_only = true }}, \
             {{ device = 'd', interface = '{counted}' }}] }}]"
        );
        let inventory = check(&toml).unwrap();
        let server = &inventory.servers["s"];
        let names = |ports: &[crate::inventory::Binding]| {
            ports.iter().map(|binding| binding.port.interface().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            (names(&server.ports), names(&server.check_ports)),
            (vec![counted.to_owned()], vec![checked.to_owned()])
        );
    }
}

#[test]
fn all_of_an_inventory_fits_together() {
    let inventory = check(include_str!("complete.toml")).unwrap();
    let server = &inventory.servers["web01"];
    assert_eq!(inventory.plan_at(server, Timestamp(0)).id, "std-2026");
    assert_eq!(inventory.plans["std-2026"].min_coverage.to_string(), "0.9");
    assert_eq!(inventory.plans["std-2027"].min_coverage.to_string(), "0.95");
    assert_eq!(inventory.customers["c001"].contacts[0].language, Some(crate::inventory::Language::Ja));
    assert_eq!(inventory.devices["sw1"].lags[0].members, ["et-0/0/1", "et-0/0/2"]);
    assert_eq!(inventory.uplinks["tokyo-1"].speed, Bps(100_000_000_000));
    assert_eq!(inventory.pools["c001-all"].members.len(), 2);
    assert_eq!(inventory.customers["c001"].contacts[0].webhook.as_deref(), Some("c001"));
    let policy = inventory.policy_of(server, Timestamp(1_795_223_400_000));
    assert_eq!((policy.release_percent, policy.quiet_slots, policy.locked_in), (75, 36, None));
    assert_eq!(inventory.servers["web02"].check_ports.len(), 1);
}

#[test]
fn what_is_printed_can_be_applied() {
    let document: Document = toml::from_str(include_str!("complete.toml")).unwrap();
    assert_eq!(toml::from_str::<Document>(&toml::to_string(&document).unwrap()).unwrap(), document);
    let json = serde_json::to_string(&document).unwrap();
    assert_eq!(serde_json::from_str::<Document>(&json).unwrap(), document);
}

#[test]
fn a_port_may_move_from_one_server_to_another() {
    let moved = "[[servers]]\nid = 'a'\nports = [{ device = 'd', interface = 'x', until = 10 }]\n\
                 [[servers]]\nid = 'b'\nports = [{ device = 'd', interface = 'x', from = 10 }]";
    assert!(check(moved).is_ok());
}
