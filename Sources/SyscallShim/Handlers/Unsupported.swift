/// Calls that Linux has and this version has not, so that they are answered, shown and counted.
let unsupportedRows: InlineArray<_, Row> = [
    Row(refused: 206, "io_setup"),
    Row(refused: 207, "io_destroy"),
    Row(refused: 208, "io_getevents"),
    Row(refused: 209, "io_submit"),
    Row(refused: 210, "io_cancel"),
    Row(refused: 333, "io_pgetevents"),
]
