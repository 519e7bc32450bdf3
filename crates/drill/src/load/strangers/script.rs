//! What the n-th stranger asks for, and what the API answers.
//!
//! Of sixteen, twelve have an address, a token and a path that nobody had before; two try an
//! account that nobody tried before; one uses what a log-in has just given out; and one is an
//! attacker who comes back, so that evidence, findings, blocks and events are made as well.

/// Of so many requests in a row …
const ROUND: u64 = 16;
/// … so many bring a new path.
const NEW_PATHS: u64 = 12;
/// An attacker makes so many of its own requests in a row, and then the next one comes.
const ATTACKER_REQUESTS: u64 = 40;

/// How many requests bring `distinct` addresses, tokens and paths.
pub(super) fn requests_for(distinct: u64) -> u64 {
    distinct.div_ceil(NEW_PATHS) * ROUND
}

/// The bytes of request `n`, appended to `out`.
pub(super) fn write_request(n: u64, out: &mut Vec<u8>) {
    let (round, turn) = (n / ROUND, n % ROUND);
    let (a, b) = (mixed(n), mixed(n ^ 0x5bd1_e995));
    let host = "host: api.example.com\r\naccept: application/json\r\n";
    let from = match turn {
        // Whoever logged in goes on from where it was.
        14 => address(n - 1),
        15 => address(u64::MAX - round / ATTACKER_REQUESTS),
        _ => address(n),
    };
    let (line, headers, body) = match turn {
        0..=3 => (
            format!("GET /api/v1/items/{n}"),
            format!("authorization: Bearer {a:016x}{b:016x}\r\n"),
            String::new(),
        ),
        4 | 5 => (
            format!("GET /api/v1/orders/{a:016x}{b:016x}?page={n}"),
            format!("cookie: session={b:016x}{a:016x}; theme=dark\r\n"),
            String::new(),
        ),
        6 | 7 => {
            (format!("GET /{a:x}/{b:x}"), format!("x-api-key: {b:016x}{a:016x}\r\n"), String::new())
        }
        8 | 9 => (
            format!("PUT /api/v1/notes/{a:016x}"),
            format!("authorization: Bearer {b:016x}.{a:016x}\r\n"),
            format!("{{\"text\":\"{a:x}\",\"f{}\":{n}}}", a % 1_000),
        ),
        // As many endpoints as there is room for, each with parameters of its own.
        10 | 11 => (
            format!(
                "GET /shop/{}/{}/{b:x}?q{}={n}&p{}=x",
                word(a % 60),
                word(b % 50),
                a % 97,
                b % 89
            ),
            format!("cookie: c{}={a:016x}{b:016x}\r\n", a % 512),
            String::new(),
        ),
        12 | 13 => (
            "POST /api/v1/login".to_owned(),
            String::new(),
            format!("{{\"email\":\"u{n}@example.com\",\"password\":\"{a:x}\"}}"),
        ),
        14 => (
            "GET /api/v1/profile".to_owned(),
            format!("authorization: Bearer {}\r\n", token_of(&format!("u{}@example.com", n - 1))),
            String::new(),
        ),
        _ if round.is_multiple_of(2) => (
            "POST /api/v1/login".to_owned(),
            String::new(),
            format!("{{\"email\":\"v{n}@example.com\",\"password\":\"{a:x}\"}}"),
        ),
        _ => (format!("GET /admin/{a:x}"), String::new(), String::new()),
    };
    let length = match body.is_empty() {
        true => String::new(),
        false => format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()),
    };
    let text = format!(
        "{line} HTTP/1.1\r\n{host}user-agent: stranger/{}\r\nx-forwarded-for: {from}\r\n\
         {headers}{length}\r\n{body}",
        a % 64
    );
    out.extend_from_slice(text.as_bytes());
}

/// The API: log-ins of even numbers succeed, words in hexadecimal are no paths.
pub(super) fn answer(head: &str, body: &[u8]) -> String {
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (status, body) = match target {
        "/api/v1/login" => log_in(&String::from_utf8_lossy(body)),
        "/api/v1/profile" if !head.contains("Bearer ") => refusal("401 Unauthorized"),
        "/api/v1/profile" => ("200 OK", "{\"name\":\"A\",\"city\":\"B\"}".to_owned()),
        _ if target.starts_with("/api/v1/") && method == "PUT" => {
            ("200 OK", "{\"saved\":true}".to_owned())
        }
        _ if target.starts_with("/api/v1/") => {
            ("200 OK", "{\"id\":7,\"title\":\"hat\",\"price\":\"9.99\"}".to_owned())
        }
        _ if target.starts_with("/shop/") => {
            let names: Vec<&str> = target.split('/').skip(2).take(2).collect();
            let name = names.join("_");
            ("200 OK", format!("{{\"{name}\":1,\"{name}_at\":2,\"{name}_by\":3}}"))
        }
        _ => refusal("404 Not Found"),
    };
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn log_in(body: &str) -> (&'static str, String) {
    let email = body.split('"').nth(3).unwrap_or("");
    let number: u64 = email.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(1);
    // The thirteenth of each round comes in, the twelfth and the attackers do not.
    match email.starts_with('u') && number % ROUND == 13 {
        true => ("200 OK", format!("{{\"token\":\"{}\"}}", token_of(email))),
        false => refusal("401 Unauthorized"),
    }
}

fn refusal(status: &'static str) -> (&'static str, String) {
    (status, "{\"error\":\"no\"}".to_owned())
}

fn token_of(email: &str) -> String {
    let number = email.bytes().fold(7_u64, |number, byte| mixed(number ^ u64::from(byte)));
    format!("{number:016x}{:016x}", mixed(number))
}

/// A word that is the name of something, and not a value.
fn word(number: u64) -> String {
    let letter = |number: u64| char::from(b'a' + u8::try_from(number % 26).unwrap_or(0));
    format!("{}{}ly", letter(number / 26), letter(number))
}

/// An address that belongs to this number alone: mostly of IPv4, every fifth of IPv6.
fn address(n: u64) -> String {
    let spread = n.wrapping_mul(0x9e37_79b1) & 0xffff_ffff;
    if n % 5 == 4 {
        return format!("2001:db8:{:x}:{:x}::1", spread >> 16, spread & 0xffff);
    }
    let [.., a, b, c, d] = spread.to_be_bytes();
    format!("{a}.{b}.{c}.{d}")
}

/// The last steps of SplitMix64.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn strangers_repeat_nothing() {
        let mut seen: [BTreeSet<String>; 3] = Default::default();
        let requests = requests_for(1_200);
        for n in 0..requests {
            let mut bytes = Vec::new();
            write_request(n, &mut bytes);
            let text = String::from_utf8(bytes).expect("text");
            if n % ROUND >= NEW_PATHS {
                continue;
            }
            let credential = ["authorization: ", "cookie: ", "x-api-key: "];
            let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
            let path = text.split([' ', '?']).nth(1).expect("a path").to_owned();
            let token = credential.iter().find_map(|name| header(name)).expect("a token");
            let from = header("x-forwarded-for: ").expect("an address");
            let all = [from.to_owned(), token.to_owned(), path];
            for (known, value) in seen.iter_mut().zip(all) {
                assert!(known.insert(value.clone()), "{value} came twice, at {n}");
            }
        }
        assert!(seen.iter().all(|known| known.len() == 1_200));
    }

    #[test]
    fn a_token_that_was_given_out_is_used() {
        let mut bytes = Vec::new();
        write_request(14, &mut bytes);
        let used = String::from_utf8(bytes).expect("text");
        let body = br#"{"email":"u13@example.com","password":"x"}"#;
        let given = answer("POST /api/v1/login HTTP/1.1", body);
        let token = given.split('"').nth(3).expect("a token");
        assert!(used.contains(token) && given.starts_with("HTTP/1.1 200"));
        let body = br#"{"email":"u12@example.com","password":"x"}"#;
        assert!(answer("POST /api/v1/login HTTP/1.1", body).starts_with("HTTP/1.1 401"));
        assert!(answer("GET /3a/f7 HTTP/1.1", b"").starts_with("HTTP/1.1 404"));
    }
}
