//! `audit`: who changed what.

use console::wire::AuditList;

use super::Desk;
use crate::args::Audit;
use crate::failure::Failure;
use crate::output::Paint;

/// Prints the newest lines of the audit log, and whether its chain is whole.
pub(crate) fn audit(desk: &mut Desk, audit: &Audit) -> Result<(), Failure> {
    let list: AuditList = desk.client.get(&format!("/audit?limit={}", audit.limit))?;
    desk.output.list(&list, &list.lines, |page| {
        let rows: Vec<_> = list
            .lines
            .iter()
            .map(|line| {
                vec![
                    (line.seq.to_string(), Paint::Faint),
                    (page.clock().short(&line.at), Paint::Faint),
                    (line.who.clone(), Paint::None),
                    (line.what.clone(), Paint::None),
                ]
            })
            .collect();
        page.table(&[">LINE", "TIME", "WHO", "WHAT"], &rows);
        page.line(&format!("chain: {}", list.chain));
    })
}
