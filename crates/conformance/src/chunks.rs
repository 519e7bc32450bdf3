//! A body without its chunks (RFC 9112, 7.1), as far as it can be read.

/// The data of the chunks.
pub(crate) fn joined(mut rest: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let (line, after) = rest.split_at(end + 1);
        let size = line.split(|byte| matches!(byte, b';' | b'\r' | b'\n')).next();
        let size = size.and_then(|size| std::str::from_utf8(size).ok());
        let size = size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
        let Some(size) = size.filter(|size| *size > 0) else { break };
        let chunk = after.get(..size).unwrap_or(after);
        data.extend_from_slice(chunk);
        let after = after.get(size..).unwrap_or_default();
        rest = after.strip_prefix(b"\r\n").unwrap_or(after);
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined() {
        assert_eq!(joined(b"3\r\nHi \r\n3;x=y\r\nCRS\r\n0\r\n\r\n"), b"Hi CRS");
        assert_eq!(joined(b"a\r\nbroken"), b"broken");
        assert_eq!(joined(b"x\r\n"), b"");
    }
}
