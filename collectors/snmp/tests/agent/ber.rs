//! As much BER as an agent needs: reads our own requests, writes answers, good ones and others.

/// A value in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Val {
    Int(i64),
    Text(String),
    C32(u32),
    G32(u32),
    Ticks(u32),
    C64(u64),
    NoSuchInstance,
    End,
    /// Any tag with any content.
    Raw(u8, Vec<u8>),
}

pub(crate) type Bind = (Vec<u32>, Val);

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) community: Vec<u8>,
    /// 0xA0 GET, 0xA5 GETBULK.
    pub(crate) kind: u8,
    pub(crate) id: i32,
    pub(crate) repetitions: usize,
    pub(crate) oids: Vec<Vec<u32>>,
}

pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        short @ 0..=127 => out.push(u8::try_from(short).unwrap()),
        long => {
            out.push(0x82);
            out.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
    }
    out.extend_from_slice(content);
    out
}

fn signed(value: i64) -> Vec<u8> {
    let mut octets = value.to_be_bytes().to_vec();
    while octets.len() > 1
        && ((octets[0] == 0 && octets[1] < 0x80) || (octets[0] == 0xff && octets[1] >= 0x80))
    {
        octets.remove(0);
    }
    octets
}

fn unsigned(value: u64) -> Vec<u8> {
    let mut octets = vec![0];
    octets.extend(value.to_be_bytes());
    while octets.len() > 1 && octets[0] == 0 && octets[1] < 0x80 {
        octets.remove(0);
    }
    octets
}

fn oid(arcs: &[u32]) -> Vec<u8> {
    let mut out = vec![u8::try_from(arcs[0] * 40 + arcs[1]).unwrap()];
    for arc in &arcs[2..] {
        let mut groups = vec![(arc & 0x7f).to_be_bytes()[3]];
        let mut rest = arc >> 7;
        while rest > 0 {
            groups.push((rest & 0x7f).to_be_bytes()[3] | 0x80);
            rest >>= 7;
        }
        out.extend(groups.iter().rev());
    }
    out
}

fn value(value: &Val) -> Vec<u8> {
    match value {
        Val::Int(value) => tlv(0x02, &signed(*value)),
        Val::Text(text) => tlv(0x04, text.as_bytes()),
        Val::C32(value) => tlv(0x41, &unsigned(u64::from(*value))),
        Val::G32(value) => tlv(0x42, &unsigned(u64::from(*value))),
        Val::Ticks(value) => tlv(0x43, &unsigned(u64::from(*value))),
        Val::C64(value) => tlv(0x46, &unsigned(*value)),
        Val::NoSuchInstance => tlv(0x81, &[]),
        Val::End => tlv(0x82, &[]),
        Val::Raw(tag, content) => tlv(*tag, content),
    }
}

/// An answer to `request`.
pub(crate) fn answer(request: &Request, status: i64, binds: &[Bind]) -> Vec<u8> {
    answer_marked(request, status, binds).0
}

/// An answer, and for each octet whether it is the content of a value.
pub(crate) fn answer_marked(request: &Request, status: i64, binds: &[Bind]) -> (Vec<u8>, Vec<bool>) {
    // Marks follow the octets through all wrapping, which only ever puts headers in front.
    let wrap = |tag: u8, inner: (Vec<u8>, Vec<bool>)| {
        let octets = tlv(tag, &inner.0);
        let mut marks = vec![false; octets.len() - inner.0.len()];
        marks.extend(inner.1);
        (octets, marks)
    };
    let plain = |octets: Vec<u8>| {
        let marks = vec![false; octets.len()];
        (octets, marks)
    };
    let join = |parts: Vec<(Vec<u8>, Vec<bool>)>| {
        parts.into_iter().fold((vec![], vec![]), |(mut octets, mut marks), part| {
            octets.extend(part.0);
            marks.extend(part.1);
            (octets, marks)
        })
    };
    let list = binds.iter().map(|(name, val)| {
        let octets = value(val);
        let header = if octets.len() > 129 { 4 } else { 2 };
        let marks = (0..octets.len()).map(|place| place >= header).collect();
        wrap(0x30, join(vec![plain(tlv(0x06, &oid(name))), (octets, marks)]))
    });
    let pdu = join(vec![
        plain(tlv(0x02, &signed(i64::from(request.id)))),
        plain(tlv(0x02, &signed(status))),
        plain(tlv(0x02, &signed(0))),
        wrap(0x30, join(list.collect())),
    ]);
    let message = join(vec![plain(tlv(0x02, &[1])), plain(tlv(0x04, &request.community)), wrap(0xa2, pdu)]);
    wrap(0x30, message)
}

/// What a message of SNMPv3 says in the clear.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) id: i64,
    /// 1 signed, 2 encrypted, 4 may be reported.
    pub(crate) flags: u8,
    pub(crate) engine: Vec<u8>,
    pub(crate) boots: i64,
    pub(crate) time: i64,
    pub(crate) user: Vec<u8>,
}

/// Reads the head of a message of SNMPv3, which is well formed.
pub(crate) fn head(datagram: &[u8]) -> Head {
    let (_, message, _) = read(datagram);
    let (_, version, rest) = read(message);
    assert_eq!(version, [3]);
    let (_, global, rest) = read(rest);
    let (_, security, _) = read(rest);
    let (_, id, global) = read(global);
    let (_, _size, global) = read(global);
    let (_, flags, _) = read(global);
    let (_, security, _) = read(security);
    let (_, engine, rest) = read(security);
    let (_, boots, rest) = read(rest);
    let (_, time, rest) = read(rest);
    let (_, user, _) = read(rest);
    Head {
        id: number(id),
        flags: flags[0],
        engine: engine.to_vec(),
        boots: number(boots),
        time: number(time),
        user: user.to_vec(),
    }
}

/// A report with that head that anybody could have sent: its signature, where it has one, is of zeros. `what` is the
/// number of the object in usmStats (RFC 3414).
pub(crate) fn report(head: &Head, what: u32) -> Vec<u8> {
    let integer = |value: i64| tlv(0x02, &signed(value));
    let global = [integer(head.id), integer(65_507), tlv(0x04, &[head.flags]), integer(3)].concat();
    let signature = if head.flags & 1 == 0 { vec![] } else { vec![0; 24] };
    let security = [
        tlv(0x04, &head.engine),
        integer(head.boots),
        integer(head.time),
        tlv(0x04, &head.user),
        tlv(0x04, &signature),
        tlv(0x04, &[]),
    ];
    let bind = [tlv(0x06, &oid(&[1, 3, 6, 1, 6, 3, 15, 1, 1, what, 0])), tlv(0x41, &[7])].concat();
    let pdu = [integer(0), integer(0), integer(0), tlv(0x30, &tlv(0x30, &bind))].concat();
    let scoped = [tlv(0x04, &head.engine), tlv(0x04, &[]), tlv(0xa8, &pdu)].concat();
    let message =
        [integer(3), tlv(0x30, &global), tlv(0x04, &tlv(0x30, &security.concat())), tlv(0x30, &scoped)];
    tlv(0x30, &message.concat())
}

/// Reads a request of ours, which is well formed.
pub(crate) fn request(datagram: &[u8]) -> Request {
    let (_, message, _) = read(datagram);
    let (_, _version, rest) = read(message);
    let (_, community, rest) = read(rest);
    let (kind, pdu, _) = read(rest);
    let (_, id, rest) = read(pdu);
    let (_, _non_repeaters, rest) = read(rest);
    let (_, repetitions, rest) = read(rest);
    let (_, mut list, _) = read(rest);
    let mut oids = Vec::new();
    while !list.is_empty() {
        let (_, bind, rest) = read(list);
        let (_, name, _) = read(bind);
        oids.push(arcs(name));
        list = rest;
    }
    Request {
        community: community.to_vec(),
        kind,
        id: i32::try_from(number(id)).unwrap(),
        repetitions: usize::try_from(number(repetitions)).unwrap(),
        oids,
    }
}

fn read(octets: &[u8]) -> (u8, &[u8], &[u8]) {
    let (length, header) = match octets[1] {
        short @ 0..=127 => (usize::from(short), 2),
        long => {
            let count = usize::from(long & 0x7f);
            let length =
                octets[2..2 + count].iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
            (length, 2 + count)
        }
    };
    (octets[0], &octets[header..header + length], &octets[header + length..])
}

fn number(octets: &[u8]) -> i64 {
    octets.iter().fold(0, |value, octet| value << 8 | i64::from(*octet))
}

fn arcs(octets: &[u8]) -> Vec<u32> {
    let mut arcs = vec![u32::from(octets[0]) / 40, u32::from(octets[0]) % 40];
    let mut arc = 0;
    for octet in &octets[1..] {
        arc = arc << 7 | u32::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            arcs.push(arc);
            arc = 0;
        }
    }
    arcs
}
