//! The requests that are measured, each round with values of its own.

/// A request as it comes over the wire, without the line that ends its head's length.
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) type Make = Box<dyn Fn(usize) -> Request>;

/// Their names, and how each is made.
pub(crate) fn all() -> Vec<(&'static str, Make)> {
    let json = |items: usize| -> Make {
        Box::new(move |round| Request { head: post(), body: order(round, items) })
    };
    vec![
        ("GET, 4 parameters", Box::new(get)),
        ("GET, SQL injection", Box::new(attack)),
        ("JSON, 1 KB", json(4)),
        ("JSON, 16 KB", json(107)),
        ("JSON, 128 KB", json(860)),
        ("JSON, 1 MB", json(6_900)),
    ]
}

fn get(round: usize) -> Request {
    let id = mixed(round as u64);
    let head = format!(
        "GET /api/v2/orders/{:08x}-9b1d-4c3e-a456-42661417{:04x}?page={}&sort=created_at&q=blue+shirt+{}&from=2026-0{}-12 HTTP/1.1\r\n{}\r\n",
        id & 0xffff_ffff,
        id >> 48,
        round % 90,
        word(id),
        1 + round % 9,
        HEADERS
    );
    Request { head, body: String::new() }
}

fn attack(round: usize) -> Request {
    let get = get(round);
    let head = get.head.replace("page=", "page=1'%20or%20'1'%3D'1'--%20");
    Request { head, ..get }
}

const HEADERS: &str = "Host: api.example.com\r\n\
    User-Agent: ShopApp/4.12.0 (iPhone; iOS 18.1; Scale/3.00)\r\n\
    Accept: application/json\r\n\
    Accept-Language: de-DE,de;q=0.9,en;q=0.8\r\n\
    Accept-Encoding: gzip, deflate, br\r\n\
    Authorization: Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjEifQ.eyJzdWIiOiI4MjQ3MzkxIiwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtcGxlLmNvbSIsImF1ZCI6InNob3AiLCJleHAiOjE3OTUwMDAwMDB9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbi1pdHNlbGYtaXMtbG9uZw\r\n\
    Cookie: sid=8f14e45fceea167a5a36dedd4bea2543; theme=dark\r\n";

fn post() -> String {
    format!("POST /api/v2/orders HTTP/1.1\r\n{HEADERS}Content-Type: application/json\r\n\r\n")
}

fn order(round: usize, items: usize) -> String {
    let items: Vec<String> = (0..items)
        .map(|item| {
            let id = mixed((round * 10_007 + item) as u64);
            format!(
                "{{\"sku\":\"AB-{:05}-{}\",\"name\":\"{} {}\",\"quantity\":{},\"price\":{}.99,\"note\":\"left at the {}'s door; call {}\",\"gift\":{}}}",
                id % 99_999, word(id >> 7), word(id >> 3), word(id >> 9), 1 + id % 9, id % 500,
                word(id >> 13), word(id >> 17), id.is_multiple_of(2)
            )
        })
        .collect();
    format!(
        "{{\"customer\":{{\"id\":\"{:016x}\",\"email\":\"{}{}@example.com\",\"name\":\"Anne O'{}\"}},\"items\":[{}]}}",
        mixed(round as u64 + 5),
        word(mixed(round as u64)),
        round,
        word(round as u64),
        items.join(",")
    )
}

fn word(number: u64) -> String {
    const PARTS: [&str; 16] = [
        "al", "be", "cor", "da", "el", "fin", "gar", "ho", "in", "ja", "ka", "lo", "mer", "ni",
        "or", "pe",
    ];
    (0..3).map(|at| PARTS[(number >> (at * 4)) as usize % PARTS.len()]).collect()
}

fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (number ^ number >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}
