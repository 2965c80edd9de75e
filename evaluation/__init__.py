"""How good the assistant is, on messages that were labelled by hand."""
