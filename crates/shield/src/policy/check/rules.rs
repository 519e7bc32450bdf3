//! `[rules]` and `[debug]`: what is said together with `--crs`, and the defaults.

use std::path::PathBuf;
use std::time::Duration;

use crate::policy::check::{Check, setting};
use crate::policy::document::{SaidDebug, SaidRules};
use crate::policy::reader::Given;
use crate::policy::setting::{Provenance, Setting};
use crate::policy::{Blocking, Debugging, Preset, Rules};

/// For a request with a small body. A request takes some tens of microseconds; what takes this long
/// was made to.
const CPU_BUDGET: Duration = Duration::from_millis(10);

impl Check<'_, '_, '_> {
    pub(super) fn rules(&mut self, said: SaidRules) -> Rules {
        let crs = match (&self.sources.flags.crs, said.crs) {
            (Some(folder), _) => {
                Setting { value: Some(folder.clone()), from: Provenance::Flag("--crs") }
            }
            (None, Some(given)) => optional(self.path(given)),
            (None, None) => Setting::default(None),
        };
        if crs.value.is_none() {
            self.without_crs("setup", said.setup.as_ref());
            self.without_crs("paranoia", said.paranoia.as_ref());
            self.without_crs("threshold", said.threshold.as_ref());
            self.without_crs("preset", said.preset.as_ref());
        }
        let level = |given: Given<u32>| given.map(|level| u8::try_from(level).ok());
        Rules {
            crs,
            setup: said.setup.map_or(Setting::default(None), |given| optional(self.path(given))),
            preset: setting(said.preset, Preset::Api),
            builtin: setting(said.builtin, true),
            blocking: setting(said.blocking, Blocking::Evidence),
            paranoia: setting(said.paranoia.map(level), None),
            threshold: setting(said.threshold.map(|given| given.map(Some)), None),
            cpu_budget: setting(said.cpu_budget, CPU_BUDGET),
        }
    }

    fn without_crs<T>(&mut self, key: &str, said: Option<&Given<T>>) {
        if let Some(given) = said {
            let cause = format!("`{key}` has no effect: there is no Core Rule Set");
            let help = "name its folder in `crs`, or leave this out";
            self.reader.warn(&given.span, cause, help);
        }
    }
}

pub(super) fn debugging(said: SaidDebug) -> Debugging {
    Debugging { rule_header: setting(said.rule_header, false) }
}

fn optional(setting: Setting<PathBuf>) -> Setting<Option<PathBuf>> {
    Setting { value: Some(setting.value), from: setting.from }
}
