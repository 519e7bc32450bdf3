//! Where we and libmodsecurity 3.0.9 differ on purpose: whose rules hold, in which requests, why.

use rules::head::Head;

/// Who finds the rule to hold, where the other does not.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Side {
    Ours,
    Theirs,
}

/// A request that both were asked of.
pub(crate) struct Asked<'r> {
    pub(crate) raw: &'r [u8],
    /// To one of the two its body is broken.
    pub(crate) is_broken: bool,
    /// The two differ in other rules, too.
    pub(crate) differs_elsewhere: bool,
}

impl Asked<'_> {
    fn head(&self) -> Head<'_> {
        Head::split(self.raw)
    }

    fn path(&self) -> &[u8] {
        let uri = self.head().uri;
        uri.split(|byte| *byte == b'?').next().unwrap_or_default()
    }

    fn is_xml(&self) -> bool {
        self.head().headers().any(|(name, value)| {
            let is_type = name.eq_ignore_ascii_case(b"content-type");
            is_type && contains(&value.to_ascii_lowercase(), b"xml")
        })
    }

    /// How many headers say what the body is.
    fn types(&self) -> usize {
        let head = self.head();
        head.headers().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-type")).count()
    }

    /// Some value may have a line end in it.
    fn has_lines(&self) -> bool {
        let Head { uri, rest, .. } = self.head();
        let spellings: [&[u8]; 4] = [b"%0a", b"%0A", b"\\n", b"\n"];
        spellings.iter().any(|end| contains(uri, end) || contains(rest, end))
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Why they differ.
pub(crate) struct Reason {
    /// All rules, when empty.
    ids: &'static [u64],
    /// Both, when `None`.
    side: Option<Side>,
    applies: fn(&Asked<'_>) -> bool,
    pub(crate) why: &'static str,
}

const OURS: Option<Side> = Some(Side::Ours);
const THEIRS: Option<Side> = Some(Side::Theirs);

/// The first that fits tells why.
pub(crate) const REASONS: &[Reason] = &[
    Reason {
        ids: &[980_170],
        side: OURS,
        applies: |_| true,
        why: "what is not for the audit log is not told by them",
    },
    Reason {
        ids: &[949_110],
        side: None,
        applies: |asked| asked.differs_elsewhere,
        why: "the sum of what other rules found",
    },
    Reason {
        ids: &[9_590_004, 9_590_005],
        side: None,
        applies: |asked| asked.is_broken,
        why: "an empty body, letters that are no UTF-8 and a careless declaration of XML are broken \
              to them, a line that is no header in a part is to us",
    },
    Reason {
        ids: &[],
        side: OURS,
        applies: |asked| asked.is_broken,
        why: "of a broken body we read what can be read",
    },
    Reason {
        ids: &[],
        side: None,
        applies: |asked| asked.is_xml(),
        why: "all texts of XML are one value to them, and each a value of its own to us",
    },
    Reason {
        ids: &[],
        side: None,
        applies: |asked| asked.has_lines(),
        why: "`^` and `$` are at each line end to them, and at the ends of the value to us, as to \
              ModSecurity 2, for which the rule set is written",
    },
    Reason {
        ids: &[],
        side: THEIRS,
        applies: |asked| !asked.head().uri.starts_with(b"/"),
        why: "the name of a server in the target is part of REQUEST_URI to them",
    },
    Reason {
        ids: &[],
        side: None,
        applies: |asked| contains(&asked.path().to_ascii_lowercase(), b"%3f"),
        why: "they decode the path first, and then cut it at its question mark",
    },
    Reason {
        ids: &[920_460, 920_540],
        side: THEIRS,
        applies: |asked| contains(&asked.head().uri.to_ascii_lowercase(), b"%5c"),
        why: "they decode REQUEST_URI, and we show it as it was sent",
    },
    Reason {
        ids: &[942_131],
        side: THEIRS,
        applies: |_| true,
        why: "what the first rule of a chain captured is lost to them, so that two words differ",
    },
    Reason {
        ids: &[941_100, 942_100, 942_101],
        side: None,
        applies: |_| true,
        why: "their libinjection is an older one",
    },
    Reason {
        ids: &[930_120, 930_130, 932_160],
        side: OURS,
        applies: |_| true,
        why: "they miss a phrase that begins within another one",
    },
    Reason {
        ids: &[],
        side: None,
        applies: |asked| asked.types() > 1,
        why: "of two headers of one name the last decides, and theirs have another order",
    },
    Reason {
        ids: &[930_120, 941_150],
        side: THEIRS,
        applies: |asked| !asked.raw.is_ascii(),
        why: "a letter of UTF-8 that is cut short is lost to them",
    },
    Reason {
        ids: &[941_110],
        side: OURS,
        applies: |asked| contains(asked.head().uri, b"%c0%bc"),
        why: "letters that are spelt too long in UTF-8 are undone by us",
    },
    Reason {
        ids: &[934_100, 934_101],
        side: OURS,
        applies: |_| true,
        why: "base64 that breaks off is read as far as it goes by us, and not at all by them",
    },
    Reason {
        ids: &[932_190],
        side: OURS,
        applies: |asked| asked.raw.len() > 5_000,
        why: "their patterns give up on a long value",
    },
];

/// Why the rule holds for one and not for the other, if that is meant.
pub(crate) fn reason(id: u64, side: Side, asked: &Asked<'_>) -> Option<&'static Reason> {
    REASONS.iter().find(|reason| {
        (reason.ids.is_empty() || reason.ids.contains(&id))
            && reason.side.is_none_or(|of| of == side)
            && (reason.applies)(asked)
    })
}
