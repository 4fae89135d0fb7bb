pub(crate) fn outputs(report: &crate::event::Report) -> Vec<(&'static str, String)> {
    vec![
        ("result", report.outcome.word().to_owned()),
        ("reason", report.reason.map_or("", |r| r.word()).to_owned()),
        ("left", report.left.word().to_owned()),
    ]
}
