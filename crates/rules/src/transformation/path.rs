//! `normalizePath` and `normalizePathWin`: paths without empty, `.` and `..` segments.
//!
//! A path that is not absolute keeps the `..` that lead out of it; an absolute one drops them. A
//! slash at the end stays. ModSecurity makes `/..` empty and Coraza keeps `//`; both are `/` here,
//! as the file system reads them. Coraza also cuts NTFS stream names and dots off Windows paths;
//! ModSecurity does not, and what is cut off no rule would see.

/// `normalizePath`.
pub(super) fn normalize(value: &[u8]) -> Option<Vec<u8>> {
    // Nothing can change unless a segment after the first is empty, or one begins with a dot.
    memchr::memchr2_iter(b'/', b'.', value)
        .any(|at| match at.checked_sub(1) {
            Some(before) => value.get(before) == Some(&b'/'),
            None => value.first() == Some(&b'.'),
        })
        .then(|| without_dots(value))
}

/// `normalizePathWin`: the same, and a backslash is a slash.
pub(super) fn normalize_windows(value: &[u8]) -> Option<Vec<u8>> {
    if memchr::memchr(b'\\', value).is_none() {
        return normalize(value);
    }
    let turn = |byte: &u8| if *byte == b'\\' { b'/' } else { *byte };
    let slashed: Vec<u8> = value.iter().map(turn).collect();
    Some(without_dots(&slashed))
}

fn without_dots(path: &[u8]) -> Vec<u8> {
    let absolute = path.first() == Some(&b'/');
    let mut out = Vec::with_capacity(path.len());
    if absolute {
        out.push(b'/');
    }
    // How many segments at the end of `out` a `..` may take away.
    let mut named = 0_usize;
    for segment in path.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." if named > 0 => {
                named -= 1;
                let parent = memchr::memrchr(b'/', &out).unwrap_or(0);
                out.truncate(parent.max(usize::from(absolute)));
            }
            b".." if absolute => {}
            _ => {
                if out.last().is_some_and(|byte| *byte != b'/') {
                    out.push(b'/');
                }
                out.extend_from_slice(segment);
                named += usize::from(segment != b"..");
            }
        }
    }
    if path.last() == Some(&b'/') && out.last().is_some_and(|byte| *byte != b'/') {
        out.push(b'/');
    }
    out
}
