//! A reader of pcap and pcapng captures that puts TCP streams back together.
//!
//! Test code only: it knows little-endian files, the link types of the captures at hand, and
//! keeps the first 64 KiB of each direction.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// Sender and receiver of one direction of a connection.
pub(crate) type Flow = (SocketAddr, SocketAddr);

const STREAM_BYTES_MAX: usize = 65_536;

/// Each direction of each TCP connection, from its first byte on.
pub(crate) fn tcp_streams(file: &[u8]) -> Vec<(Flow, Vec<u8>)> {
    let mut directions: BTreeMap<Flow, Direction> = BTreeMap::new();
    for (link_type, frame) in frames(file) {
        if let Some(segment) = tcp_segment(link_type, frame) {
            directions.entry(segment.flow).or_default().add(&segment);
        }
    }
    directions.into_iter().map(|(flow, direction)| (flow, direction.bytes())).collect()
}

fn frames(file: &[u8]) -> Vec<(u32, &[u8])> {
    match u32_at(file, 0) {
        0xa1b2_c3d4 | 0xa1b2_3c4d => pcap_frames(file),
        0x0a0d_0d0a => pcapng_frames(file),
        other => panic!("unknown capture format {other:08x}"),
    }
}

fn pcap_frames(file: &[u8]) -> Vec<(u32, &[u8])> {
    let link_type = u32_at(file, 20) & 0xffff;
    let mut frames = Vec::new();
    let mut at = 24;
    while at + 16 <= file.len() {
        let length = u32_at(file, at + 8) as usize;
        frames.push((link_type, &file[at + 16..at + 16 + length]));
        at += 16 + length;
    }
    frames
}

fn pcapng_frames(file: &[u8]) -> Vec<(u32, &[u8])> {
    const SECTION_HEADER: u32 = 0x0a0d_0d0a;
    const INTERFACE: u32 = 1;
    const ENHANCED_PACKET: u32 = 6;
    let mut link_types = Vec::new();
    let mut frames = Vec::new();
    let mut at = 0;
    while at + 12 <= file.len() {
        match u32_at(file, at) {
            SECTION_HEADER => {
                assert_eq!(u32_at(file, at + 8), 0x1a2b_3c4d, "a little-endian section");
                link_types.clear();
            }
            INTERFACE => link_types.push(u32_at(file, at + 8) & 0xffff),
            ENHANCED_PACKET => {
                let interface = u32_at(file, at + 8) as usize;
                let length = u32_at(file, at + 20) as usize;
                frames.push((link_types[interface], &file[at + 28..at + 28 + length]));
            }
            _ => {}
        }
        at += u32_at(file, at + 4) as usize;
    }
    frames
}

struct Segment<'a> {
    flow: Flow,
    sequence: u32,
    opens: bool,
    payload: &'a [u8],
}

fn tcp_segment(link_type: u32, frame: &[u8]) -> Option<Segment<'_>> {
    let packet = match link_type {
        0 => frame.get(4..)?,
        1 => {
            let mut at = 12;
            while matches!(u16_at(frame, at)?, 0x8100 | 0x88a8) {
                at += 4;
            }
            frame.get(at + 2..)?
        }
        101 => frame,
        113 => frame.get(16..)?,
        276 => frame.get(20..)?,
        other => panic!("unknown link type {other}"),
    };
    let (source, target, tcp) = match packet.first()? >> 4 {
        4 => {
            let header = usize::from(packet[0] & 15) * 4;
            let total = usize::from(u16_at(packet, 2)?);
            let tcp = (packet[9] == 6).then_some(packet.get(header..total)?)?;
            (ip::<4>(packet, 12)?, ip::<4>(packet, 16)?, tcp)
        }
        6 => {
            let length = usize::from(u16_at(packet, 4)?);
            let tcp = (packet[6] == 6).then_some(packet.get(40..40 + length)?)?;
            (ip::<16>(packet, 8)?, ip::<16>(packet, 24)?, tcp)
        }
        _ => return None,
    };
    let source = SocketAddr::new(source, u16_at(tcp, 0)?);
    let target = SocketAddr::new(target, u16_at(tcp, 2)?);
    let sequence = u32::from_be_bytes(tcp.get(4..8)?.try_into().ok()?);
    let header = usize::from(tcp.get(12)? >> 4) * 4;
    let opens = tcp.get(13)? & 2 != 0;
    Some(Segment { flow: (source, target), sequence, opens, payload: tcp.get(header..)? })
}

fn ip<const N: usize>(packet: &[u8], at: usize) -> Option<IpAddr>
where
    IpAddr: From<[u8; N]>,
{
    let octets: [u8; N] = packet.get(at..at + N)?.try_into().ok()?;
    Some(IpAddr::from(octets))
}

/// One direction of a connection: its segments by distance from its first byte.
#[derive(Default)]
struct Direction {
    first: Option<u32>,
    segments: BTreeMap<u32, Vec<u8>>,
}

impl Direction {
    fn add(&mut self, segment: &Segment<'_>) {
        if segment.opens {
            self.first = Some(segment.sequence.wrapping_add(1));
            return;
        }
        let first = *self.first.get_or_insert(segment.sequence);
        let distance = segment.sequence.wrapping_sub(first);
        let length = segment.payload.len();
        if length > 0 && distance as usize + length <= STREAM_BYTES_MAX {
            self.segments.entry(distance).or_insert_with(|| segment.payload.to_vec());
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut stream = Vec::new();
        for (&distance, payload) in &self.segments {
            let known = stream.len();
            match known.checked_sub(distance as usize) {
                Some(overlap) => stream.extend(payload.iter().skip(overlap)),
                None => break,
            }
        }
        stream
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}
