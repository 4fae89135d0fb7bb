pub(crate) fn summary(_: &crate::event::Report) -> String {
    String::new()
}
