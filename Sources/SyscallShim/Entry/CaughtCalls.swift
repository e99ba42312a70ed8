import Kernel
import LinuxABI
import Platform
import Rewriter

/// The rewriter of an address space, and what it learned together with its copies.
final class PatchedText: TextKeeper {
    let rewriter: Rewriter
    /// nil when the text is not what the copies have any more.
    private var learned: LearnedSites?
    /// How many of them were rewritten here, or found here.
    private var known = 0

    init(_ rewriter: Rewriter, _ learned: LearnedSites = LearnedSites(), known: Int = 0) {
        self.rewriter = rewriter
        self.learned = learned
        self.known = known
    }

    /// Notes a site that was executed here, for copies that are still to be made.
    func learn(_ site: UInt64, _ number: UInt64) {
        guard isCopied else { return }
        learned?.add(site, number)
    }

    func textWillVanish(_ range: Range<UInt64>) {
        learned = nil
        if rewriter.forget(range) { plain_sites_clear() }
        KnownSites.forget(range, of: self)
    }

    func textWillShow(_ range: Range<UInt64>) {
        learned = nil
        _ = rewriter.restore(range, memory: CaughtCalls.memory)
        plain_sites_clear()
        KnownSites.forget(range, of: self)
    }

    /// Whether there are others with the same text.
    private var isCopied = false

    func prepareCopy() {
        isCopied = true
        guard let learned, known < learned.sites.count else { return }
        CaughtCalls.memory.patchAll(in: Process.current.addressSpace) {
            for index in known..<learned.sites.count {
                let (site, number) = learned.sites[index]
                rewriter.expect(site: site, number: number, memory: CaughtCalls.memory)
            }
        }
        known = learned.sites.count
    }

    func duplicate() -> any TextKeeper {
        let copy = PatchedText(rewriter.duplicate(), learned ?? LearnedSites(), known: known)
        copy.isCopied = true
        return copy
    }
}

/// Caught `syscall` instructions, and the rewriter that makes jumps of them.
public enum CaughtCalls {
    nonisolated(unsafe) private(set) static var memory: ProgramText! = nil
    /// Sites stay as they are: every call is caught. For measuring and debugging.
    nonisolated(unsafe) private static var keepsSites = false
    /// Each call that is caught is told here, for statistics.
    nonisolated(unsafe) private static var countsAll = false

    /// Called once, before the first program runs.
    public static func start(keepsSites: Bool, countsAll: Bool) {
        memory = ProgramText()
        self.keepsSites = keepsSites
        self.countsAll = countsAll
        Tasks.willEnd = KnownSites.tell
        AddressSpace.makeTextKeeper = {
            let windows = [
                StubWindow(code: Layout.low, stubs: Layout.lowStubs),
                StubWindow(code: Layout.high, stubs: Layout.high),
            ]
            let entries = StubEntries(
                keepingFlags: system_call_entry_address(),
                losingFlags: system_call_entry_brief_address()
            )
            let text = PatchedText(Rewriter(entries: entries, windows: windows))
            KnownSites.replaced(by: text)
            return text
        }
    }

    /// What was patched in the running program.
    static var text: PatchedText {
        unsafeDowncast(Process.current.addressSpace.textKeeper!, to: PatchedText.self)
    }

    static var rewriter: Rewriter { text.rewriter }

    /// Rewrites sites of the first program that earlier runs told of.
    public static func expect(_ knownSites: UnsafeRawBufferPointer, in process: Process) {
        KnownSites.start(process)
        guard !keepsSites else { return }
        KnownSites.rewrite(knownSites, in: process)
    }

    /// Forgets every site; no program runs any more.
    static func stop() {
        Tasks.willEnd = nil
        AddressSpace.makeTextKeeper = nil
        KnownSites.stop()
        memory = nil
    }

    /// Where a caught call returns to: behind the site, or to the stub that was made of it.
    static func take(site: UInt64, number: UInt64) -> UInt64 {
        Counters.caughtCalls &+= 1
        let behind = site &+ 2
        // A process ends but once: making a jump of that call is work for nothing.
        let exitGroup: UInt64 = 231
        if number == exitGroup {
            text.learn(site, number)
            if !keepsSites { KnownSites.noteEnding(site, number) }
            return behind
        }
        let answer = keepsSites ? behind : returnAddress(site, number)
        if answer == behind, !countsAll { plain_sites_add(behind) }
        return answer
    }

    private static func returnAddress(_ site: UInt64, _ number: UInt64) -> UInt64 {
        switch rewriter.caught(site: site, number: number, memory: memory) {
        case .patched(_, let returnAddress):
            text.learn(site, number)
            return returnAddress
        case .already(let returnAddress): return returnAddress
        case .notRewritable: return site &+ 2
        }
    }

    /// The program's own address for one that may lie in a stub.
    @inline(__always)
    static func programAddress(_ address: UInt64) -> UInt64 {
        guard rewriter.isStub(address) else { return address }
        return rewriter.siteAddress(forStubAddress: address) ?? address
    }
}

@c(kernel_caught_call)
func caughtCall(_ site: UInt64, _ number: UInt64) -> UInt64 {
    CaughtCalls.take(site: site, number: number)
}

@c(kernel_breakpoint)
func breakpoint(_ address: UInt64) -> UInt64 {
    CaughtCalls.rewriter.continuation(forTrapAt: address) ?? 0
}

@c(kernel_step)
func step(_ address: UInt64) -> UInt64 {
    CaughtCalls.rewriter.isStep(at: address) ? 1 : 0
}
