/// The lines in which the kernel reports `--stats` on `HostDescriptor.statistics` when it ends.
///
/// Each line is ASCII: a key, then words with one space between, then a newline. Numbers are
/// decimal, addresses hexadecimal with `0x`. Lines may come in any order; `unirun` skips keys that
/// it does not know, and renders the rest as tables with the sites' symbols.
///
///     call NAME COUNT ERRORS TOTAL_NS P50_NS P99_NS   one system call of the guest
///     site ADDRESS STATE REASON COUNT                 one `syscall` instruction
///     fault KIND COUNT                                page faults: `zero`, `file`, `copy`, `stack` …
///     host NAME COUNT                                 one call made to the host
///     value NAME NUMBER                               anything else: `calls_total`, `pool_blocks` …
///
/// `heap_base_bytes` and `heap_base_blocks` are what the kernel heap held before the first process
/// was made. `heap_left_bytes`, `heap_left_blocks` and `pages_left` are how much more (or, below
/// zero, less) it and the page cache hold when everything was given back at the end; they are zero,
/// or something leaked. What pools keep to be used again, `pool_blocks`, is not counted there.
///
/// `null_call_instructions_rewritten` and `null_call_instructions_trapped` are the instructions that a
/// machine's processor executes for getppid(2), from the move of its number to what follows: at a site
/// that was rewritten, and at one whose `syscall` stays, which goes through LSTAR. The kernel counts them
/// by single-stepping, before the program begins; what tracing adds to a call is not among them. In a
/// process they cannot be counted so.
///
/// An unknown call is `NAME` `#NUMBER`. `STATE` is `rewritten` or `trapped`; `REASON` is one word,
/// the shape that was patched or why it was not (`-` for none); a site's `COUNT` is how often it
/// was caught. `value load_bias` is what was added to the addresses of the program's file, so that
/// sites can be named. The times of calls are of the kernel's clock, with the caller's waiting.
public enum StatisticsReport {
    public static let call: StaticString = "call"
    public static let site: StaticString = "site"
    public static let fault: StaticString = "fault"
    public static let host: StaticString = "host"
    public static let value: StaticString = "value"

    public static let rewritten: StaticString = "rewritten"
    public static let trapped: StaticString = "trapped"
}
