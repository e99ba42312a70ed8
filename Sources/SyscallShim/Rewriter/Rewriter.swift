/// Turns `syscall` instructions that were caught once into jumps to stubs of their own.
///
/// One rewriter serves one address space: `duplicate()` it on fork, `reset()` it on exec. It takes
/// no lock; its owner calls it from one CPU at a time.
///
/// A patch is exact: each byte of a jump that used to begin an instruction is 0xCC or the jump's
/// first byte, so a branch, a blocked thread or a saved context that arrives there traps and is
/// continued by `continuation(forTrapAt:)`; what shows a program counter to the program puts it
/// through `siteAddress(forStubAddress:)` first.
///
/// Stubs of text that went away are never reused before `reset()`: a thread that sleeps in a call
/// from one returns into it, just as it would return into the unmapped text.
public final class Rewriter {
    /// How many pages of stubs one process may have.
    static let pageLimit = 512

    let entries: StubEntries
    let windows: InlineArray<4, StubWindow>
    var table: SiteTable
    var pages: GrowableBuffer<StubPage>
    let scratch: UnsafeMutableRawBufferPointer
    /// Traps of sites for which the table had no room.
    public private(set) var uncountedTraps: UInt64 = 0

    /// A rewriter whose stubs jump to one of `entries`, with %rcx holding the return address. The first
    /// of `windows` (at most four count) whose `code` holds a site serves it.
    public init(entries: StubEntries, windows: [StubWindow]) {
        self.entries = entries
        var kept = InlineArray<4, StubWindow>(repeating: StubWindow(code: 0..<0, stubs: 0..<0))
        for index in 0..<min(windows.count, 4) { kept[index] = windows[index] }
        self.windows = kept
        table = SiteTable()
        pages = GrowableBuffer(capacity: 4, limit: Rewriter.pageLimit)
        scratch = .allocate(byteCount: Rewriter.scratchSize, alignment: 16)
    }

    private init(copying other: Rewriter) {
        entries = other.entries
        windows = other.windows
        table = SiteTable(copying: other.table)
        pages = GrowableBuffer(copying: other.pages)
        scratch = .allocate(byteCount: Rewriter.scratchSize, alignment: 16)
    }

    deinit { scratch.deallocate() }

    /// A rewriter for a copy of the address space, made by fork.
    public func duplicate() -> Rewriter { Rewriter(copying: self) }

    /// Forgets all, when exec has removed the text and the stub pages.
    public func reset() {
        table.removeAll()
        pages.removeAll()
        uncountedTraps = 0
    }

    /// Handles a caught `syscall` at `site`, whose %rax was `number`: patches it the first time.
    ///
    /// The caller then performs the call and returns to the outcome's address, or behind the site.
    public func caught(
        site: UInt64,
        number: UInt64,
        memory: any CodeMemory
    ) -> CatchOutcome {
        if let index = table.find(site) {
            table.records[index].traps &+= 1
            if table.records[index].state == .refused {
                return .notRewritable(table.records[index].reason)
            }
            return .already(returnAddress: table.records[index].returnAddress)
        }
        guard !table.isFull else {
            uncountedTraps &+= 1
            return .notRewritable(.tableFull)
        }
        var record = SiteRecord(address: site, number: number)
        record.traps = 1
        switch rewrite(&record, number, memory) {
        case nil: return .patched(record.shape, returnAddress: record.returnAddress)
        case .notSystemCall: return .notRewritable(.notSystemCall)
        case let reason?:
            record.state = .refused
            record.reason = reason
            if !table.isFull { _ = table.add(record) }
            return .notRewritable(reason)
        }
    }

    /// Patches a `syscall` at `site` that was executed by another process of the same text, with
    /// `number` in %rax, before it is caught here. What cannot be patched is left to be caught.
    ///
    /// The return from a signal is patched too: the caller knows that no unwinder looks for its bytes.
    ///
    /// `boundary` is what that process's report said, which saves the proof: the way from there is
    /// read, and counts only when it leads to the site.
    public func expect(
        site: UInt64,
        number: UInt64,
        boundary: Int? = nil,
        memory: any CodeMemory
    ) {
        guard table.find(site) == nil, !table.isFull else { return }
        var record = SiteRecord(address: site, number: number)
        _ = rewrite(&record, number, memory, boundary: boundary, keepsSignalReturn: false)
    }

    /// Where a trap at `address` (of the 0xCC byte itself) continues: the stub's copy of the
    /// instruction that began there, or `nil` when the `int3` is the program's own.
    ///
    /// With several CPUs the byte may have become text again meanwhile: look at it before a signal
    /// is raised, and just resume when it is no `int3` any more.
    ///
    /// It also tells where the `syscall` at a site is executed without a trap, for restarts.
    public func continuation(forTrapAt address: UInt64) -> UInt64? {
        // A site is at most so far behind the start of its jump, and before its end.
        var distance: UInt64 = 0
        while distance <= 24 {
            if let index = table.find(address &- distance),
                let found = table.records[index].continuation(at: address)
            {
                return found
            }
            if distance > 0, let index = table.find(address &+ distance),
                let found = table.records[index].continuation(at: address)
            {
                return found
            }
            distance += 1
        }
        return islandContinuation(address)
    }

    /// The program's own address for a program counter in a stub, exact for each instruction that
    /// the stub copied; `nil` when `address` is in no stub.
    ///
    /// Execution may go on at either address with the same registers and the same effect.
    public func siteAddress(forStubAddress address: UInt64) -> UInt64? {
        guard let index = table.findStub(address) else { return nil }
        let offset = Int(address &- table.records[index].stub)
        let origin = table.records[index].map.origin(ofOffset: offset)
        if origin == StubMap.branchTarget { return table.records[index].branchTarget }
        return table.records[index].address &+ UInt64(bitPattern: Int64(origin))
    }

    /// Whether a single-stepping program that arrives at `address` has executed an instruction of its
    /// own: `siteAddress` tells which comes next. False in the midst of what a stub does for a
    /// `syscall`, and behind the jumps that lead to a stub.
    public func isStep(at address: UInt64) -> Bool {
        guard isStub(address) else { return !isIsland(address) }
        guard let index = table.findStub(address) else { return true }
        let offset = Int(address &- table.records[index].stub)
        return offset > 0 && table.records[index].map.begins(atOffset: offset)
    }

    /// Whether the jump of an island lies at `address`.
    private func isIsland(_ address: UInt64) -> Bool {
        for index in 0..<table.records.count where table.records[index].state == .patched {
            if table.records[index].island.overlaps(address..<address &+ 1) { return true }
        }
        return false
    }

    /// Whether `address` lies in a page of stubs.
    public func isStub(_ address: UInt64) -> Bool {
        for index in 0..<pages.count where address &- pages[index].address < StubPage.size {
            return true
        }
        return false
    }

    /// How many pages of stubs are mapped.
    public var pageCount: Int { pages.count }

    /// Address of a mapped page of stubs, for the list of mappings.
    public func pageAddress(_ index: Int) -> UInt64 { pages[index].address }

    /// Forgets the sites in `range`, whose text was unmapped or replaced: nothing is written.
    ///
    /// - Returns: whether there were any.
    @discardableResult
    public func forget(_ range: Range<UInt64>) -> Bool {
        var isChanged = false
        for index in 0..<table.records.count where table.records[index].isLive(in: range) {
            table.retire(index)
            isChanged = true
        }
        if isChanged { table.rebuild() }
        return isChanged
    }

    /// Puts the original bytes back in `range`, before the program may read or write its text
    /// there, and forgets the sites. `false` when some could not be written.
    public func restore(_ range: Range<UInt64>, memory: any CodeMemory) -> Bool {
        var isComplete = true
        for index in 0..<table.records.count where table.records[index].isLive(in: range) {
            guard table.records[index].state == .patched else { continue }
            // The site first: nothing then leads to the island.
            if !unwrite(table.records[index].patch, memory) { isComplete = false }
            if !unwrite(table.records[index].island, memory) { isComplete = false }
        }
        forget(range)
        return isComplete
    }

    /// How many records `report(_:)` may be asked for.
    public var reportCount: Int { table.records.count }

    /// Statistics of one site, `nil` for a record that stands for none any more.
    public func report(_ index: Int) -> SiteReport? {
        guard index >= 0, index < table.records.count else { return nil }
        let record = table.records[index]
        let status: SiteReport.Status
        switch record.state {
        case .unused, .retired: return nil
        case .refused: status = .refused(record.reason)
        case .patched: status = .patched(record.shape, stub: record.stub)
        }
        return SiteReport(
            address: record.address,
            number: record.number,
            status: status,
            traps: record.traps,
            boundary: record.boundary,
            isProved: record.isProved
        )
    }

    private func islandContinuation(_ address: UInt64) -> UInt64? {
        for index in 0..<table.records.count
        where table.records[index].state == .patched
            && table.records[index].island.overlaps(address..<address &+ 1)
        {
            // Fillers do nothing: what follows them is as good.
            return table.records[index].address &+ UInt64(table.records[index].islandEnd)
        }
        return nil
    }
}

extension SiteRecord {
    func isLive(in range: Range<UInt64>) -> Bool {
        switch state {
        case .unused, .retired: return false
        case .refused: return range.contains(address)
        case .patched:
            return range.contains(address) || patch.overlaps(range) || island.overlaps(range)
        }
    }

    func continuation(at address: UInt64) -> UInt64? {
        guard state == .patched, address == self.address || patch.overlaps(address..<address &+ 1)
        else { return nil }
        let origin = Int(truncatingIfNeeded: Int64(bitPattern: address &- self.address))
        guard let offset = map.offset(ofOrigin: origin) else { return nil }
        return stub &+ UInt64(offset)
    }
}
