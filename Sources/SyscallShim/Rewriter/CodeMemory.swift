/// What the rewriter needs of the memory of one process. The kernel implements it.
///
/// All calls come from inside `Rewriter`'s own calls, one at a time.
public protocol CodeMemory: AnyObject {
    /// The readable stretch of private, file-backed, executable, non-writable mappings that holds
    /// `address`, or `nil` when `address` is in no such mapping: its sites are then never patched.
    func patchableText(around address: UInt64) -> Range<UInt64>?

    /// An address at or before `site` where an instruction certainly begins, with nothing but code
    /// from there on; `nil` when none is known. It makes more sites rewritable, never fewer.
    func knownBoundary(before site: UInt64) -> UInt64?

    /// Fills `buffer` from `address`; `false` when some of it cannot be read.
    func read(_ address: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool

    /// Maps one fresh private page, readable and executable, at exactly `address` (a multiple of
    /// 4096); `false` when anything is mapped or reserved there, or memory is out.
    func mapStubPage(at address: UInt64) -> Bool

    /// Lends the bytes of `range` (text or stub pages) for writing: `body` gets the place where
    /// stores to them go. Returns `false`, without calling `body`, when that is impossible. The
    /// range is executable and not writable again when it returns.
    func withWritable(
        _ range: Range<UInt64>,
        _ body: (UnsafeMutableRawPointer) -> Void
    ) -> Bool

    /// Returns when every other CPU that runs this process has executed a serialising instruction.
    /// With one CPU there is nothing to do.
    func synchronizeInstructionFetch()
}

extension CodeMemory {
    public func knownBoundary(before site: UInt64) -> UInt64? { nil }
    public func synchronizeInstructionFetch() {}
}
