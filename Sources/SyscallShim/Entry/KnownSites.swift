import Kernel
import LaunchRecord
import LinuxABI
import Rewriter

/// The sites of the first program, from one run to the next. `unirun` keeps them by the program's
/// file; what was executed once is certain to be code, and is rewritten before it is caught
/// (docs/adr/0014).
enum KnownSites {
    /// The text of the first program, which outlives it.
    nonisolated(unsafe) private(set) static var text: PatchedText?
    /// The first program's code, and what was added to the addresses of its file.
    nonisolated(unsafe) private static var code: Range<UInt64> = 0..<0
    nonisolated(unsafe) private static var bias: UInt64 = 0
    /// The call that ends the process is not worth a jump in the run that meets it.
    nonisolated(unsafe) private static var ending: (site: UInt64, number: UInt64) = (0, 0)

    /// The first program was laid out in a process.
    static func start(_ process: Process) {
        text = unsafeDowncast(process.addressSpace.textKeeper!, to: PatchedText.self)
    }

    /// The current process has another program.
    static func replaced(by text: PatchedText) {
        guard Process.current.id == Process.firstID else { return }
        self.text = text
        code = 0..<0
    }

    /// Rewrites what earlier runs told, in a process that does not run yet.
    static func rewrite(_ words: UnsafeRawBufferPointer, in process: Process) {
        let image = process.executable
        code = UInt64(image.codeRange.lowerBound)..<UInt64(image.codeRange.upperBound)
        bias = image.loadBias
        let count = min(words.count / KnownSite.encodedSize, KnownSite.limit)
        guard count > 0 else { return }
        CaughtCalls.memory.patchAll(in: process.addressSpace) {
            for index in 0..<count {
                let word = words.loadUnaligned(
                    fromByteOffset: index * KnownSite.encodedSize,
                    as: UInt64.self
                )
                let site = KnownSite(word: word)
                let address = bias &+ site.offset
                guard code.contains(address) else { continue }
                text?.rewriter.expect(
                    site: address,
                    number: site.number,
                    boundary: site.boundary,
                    memory: CaughtCalls.memory
                )
            }
        }
    }

    static func noteEnding(_ site: UInt64, _ number: UInt64) { ending = (site, number) }

    /// The text of a range is no longer what it was at the start.
    static func forget(_ range: Range<UInt64>, of text: PatchedText) {
        if text === self.text, range.overlaps(code) { code = 0..<0 }
    }

    static func stop() { text = nil }

    /// Tells `unirun` what was learned in this run: which sites were caught, and for those that it
    /// knew what is proved of the instructions before.
    static func tell() {
        var list = KnownSiteList()
        add(ending.site, ending.number, nil, to: &list)
        guard let rewriter = text?.rewriter else { return }
        for index in 0..<rewriter.reportCount {
            guard let site = rewriter.report(index), site.traps > 0 || site.isProved,
                isWorthKnowing(site.status)
            else { continue }
            add(site.address, site.number, site.boundary, to: &list)
        }
        HostControl.tell(&list)
    }

    /// Whether the return from a signal may be rewritten is for `unirun` to say, which knows of
    /// unwinders.
    private static func isWorthKnowing(_ status: SiteReport.Status) -> Bool {
        switch status {
        case .patched, .refused(.signalReturn): true
        case .refused: false
        }
    }

    private static func add(
        _ address: UInt64,
        _ number: UInt64,
        _ boundary: Int?,
        to list: inout KnownSiteList
    ) {
        guard code.contains(address),
            let site = KnownSite(offset: address &- bias, number: number, boundary: boundary)
        else { return }
        if list.isFull { HostControl.tell(&list) }
        list.append(site)
    }
}
