extension Rewriter {
    /// Text that is read before a site without a known boundary, and after it, in bytes.
    private static let before: UInt64 = 96
    private static let after: UInt64 = 160
    /// A known boundary may lie this far before the site.
    private static let farBefore: UInt64 = 1792
    static let scratchSize = 2048
    /// What a plan may cost at most to be worth saving a page of stubs.
    private static let affordableCost = 16

    /// Patches the record's site and adds it to the table, or says why not.
    func rewrite(
        _ record: inout SiteRecord,
        _ number: UInt64,
        _ memory: any CodeMemory,
        boundary told: Int? = nil,
        keepsSignalReturn: Bool = true
    ) -> RefusalReason? {
        let site = record.address
        guard let mapping = memory.patchableText(around: site), mapping.contains(site) else {
            return .notPatchableText
        }
        let boundary = knownBoundary(before: site, told, in: mapping, memory)
        let reach = max(Rewriter.before, boundary.map { site - $0 } ?? 0)
        let start = site - min(reach, site - mapping.lowerBound)
        let end = site + min(Rewriter.after, mapping.upperBound - site)
        let bytes = UnsafeMutableRawBufferPointer(rebasing: scratch[..<Int(end - start)])
        guard memory.read(start, into: bytes) else { return .memory }
        table.forEachPatched(near: start..<end) { record in
            record.patch.restore(in: bytes, from: start)
            record.island.restore(in: bytes, from: start)
        }
        let text = SiteText(
            bytes: UnsafeRawBufferPointer(bytes),
            site: Int(site - start),
            address: start,
            knownBoundary: boundary.map { Int($0 - start) }
        )
        guard let text else { return .notSystemCall }
        if keepsSignalReturn, text.isSignalReturn { return .signalReturn }
        let plans = SitePlanner.plans(for: text, number: number, islands: false)
        record.boundary = plans.boundary
        record.isProved = told == nil
        guard let reason = carryOut(plans, text, &record, memory) else { return nil }
        guard reason != .memory else { return reason }
        let all = SitePlanner.plans(for: text, number: number)
        return carryOut(all, text, &record, memory)
    }

    /// What is known without a proof: what was told, or what the memory's owner knows.
    private func knownBoundary(
        before site: UInt64,
        _ told: Int?,
        in mapping: Range<UInt64>,
        _ memory: any CodeMemory
    ) -> UInt64? {
        let known = told.map { site &- UInt64($0) } ?? memory.knownBoundary(before: site)
        guard let known, mapping.contains(known), known <= site,
            site - known <= Rewriter.farBefore
        else { return nil }
        return known
    }

    /// Takes the best plan for which there is room, in pages that exist before new ones.
    private func carryOut(
        _ plans: SitePlans,
        _ text: SiteText,
        _ record: inout SiteRecord,
        _ memory: any CodeMemory
    ) -> RefusalReason? {
        guard plans.count > 0 else { return .noShape }
        // A worse plan in a page that is there beats a better one that costs a page.
        for index in 0..<plans.count
        where plans[index].cost < Rewriter.affordableCost && isFree(plans[index], record.address) {
            guard let address = find(constraint(plans[index], text)),
                let stub = StubEncoder.encode(
                    plans[index],
                    of: text,
                    at: address,
                    entry: entry(text)
                )
            else { continue }
            return install(stub, at: address, plans[index], text, &record, memory)
        }
        for index in 0..<plans.count where isFree(plans[index], record.address) {
            let constraint = constraint(plans[index], text)
            guard let address = find(constraint) ?? extend(constraint, record.address, memory),
                let stub = StubEncoder.encode(
                    plans[index],
                    of: text,
                    at: address,
                    entry: entry(text)
                )
            else { continue }
            return install(stub, at: address, plans[index], text, &record, memory)
        }
        return .noStubAddress
    }

    private func entry(_ text: SiteText) -> UInt64 {
        text.overwritesFlags ? entries.losingFlags : entries.keepingFlags
    }

    /// Whether no other site's patch lies where this one would.
    private func isFree(_ plan: SitePlan, _ site: UInt64) -> Bool {
        let patched = absolute(plan.patched, site)
        let padding = absolute(plan.padding, site)
        var isFree = true
        let end = max(patched.upperBound, padding.upperBound)
        table.forEachPatched(near: patched.lowerBound..<end) { record in
            if record.covers(patched) || record.covers(padding) { isFree = false }
        }
        return isFree
    }

    private func absolute(_ offsets: Range<Int>, _ site: UInt64) -> Range<UInt64> {
        let start = site &+ UInt64(bitPattern: Int64(offsets.lowerBound))
        return start..<start &+ UInt64(offsets.count)
    }

    private func constraint(_ plan: SitePlan, _ text: SiteText) -> StubConstraint {
        // Copies, the call part, the jump back; room for re-encoded branches.
        let length = plan.end - plan.start + 25 + (plan.end > 2 ? 36 : 0)
        return StubConstraint(
            origin: text.address(of: text.site + plan.jump + plan.jumpLength),
            mask: plan.fixedMask,
            value: plan.fixedValue,
            length: length
        )
    }

    private func find(_ constraint: StubConstraint) -> UInt64? {
        for index in 0..<pages.count {
            if let address = pages[index].find(constraint) { return address }
        }
        return nil
    }

    /// Maps a page of the site's window that `constraint` allows; the address in it.
    ///
    /// Preferred is a page that a displacement with two more bytes of 0xCC would lead to, so that
    /// sites with such bytes fixed find room in it later.
    private func extend(
        _ constraint: StubConstraint,
        _ site: UInt64,
        _ memory: any CodeMemory
    ) -> UInt64? {
        var shared = constraint
        shared.mask |= 0x00ff_ff00
        shared.value |= 0x00cc_cc00
        if map(shared, site, memory) != nil {
            return pages[pages.count - 1].find(constraint)
        }
        return map(constraint, site, memory)
    }

    private func map(
        _ constraint: StubConstraint,
        _ site: UInt64,
        _ memory: any CodeMemory
    ) -> UInt64? {
        guard !pages.isFull else { return nil }
        for index in 0..<windows.count where windows[index].code.contains(site) {
            let window = windows[index].stubs
            // A page less than a `jmp` reaches: it begins a little before or behind the site.
            let reach: UInt64 = (1 << 31) - 4096
            let reachable = site > reach ? site - reach : 0
            let low = max(window.lowerBound, reachable) &+ 4095 & ~4095
            let preferred = (site &+ windows[index].distance) & ~4095
            let start = max(low, preferred)
            return search(constraint, start..<max(start, window.upperBound), memory)
                ?? search(constraint, low..<max(low, min(start, window.upperBound)), memory)
        }
        return nil
    }

    /// Tries pages upwards, in growing steps: what is in the way may be large.
    private func search(
        _ constraint: StubConstraint,
        _ range: Range<UInt64>,
        _ memory: any CodeMemory
    ) -> UInt64? {
        var cursor = range.lowerBound
        for attempt in 0..<96 {
            guard let address = nextFit(constraint, cursor), address < range.upperBound else {
                return nil
            }
            let page = address & ~4095
            guard page >= range.lowerBound, range.upperBound - page >= 4096 else { return nil }
            if memory.mapStubPage(at: page) {
                pages.append(StubPage(address: page))
                return address
            }
            cursor = page &+ 4096 << UInt64(min(attempt / 8, 11))
        }
        return nil
    }

    /// The first allowed address from `start` at which the stub does not cross a page's end.
    private func nextFit(_ constraint: StubConstraint, _ start: UInt64) -> UInt64? {
        var cursor = start
        for _ in 0..<64 {
            guard let address = constraint.next(cursor) else { return nil }
            let page = address & ~4095
            if address - page <= 4096 - UInt64(constraint.length) { return address }
            cursor = page &+ 4096
        }
        return nil
    }

    /// Writes the stub, makes it known, and then patches the site.
    private func install(
        _ stub: Stub,
        at address: UInt64,
        _ plan: SitePlan,
        _ text: SiteText,
        _ record: inout SiteRecord,
        _ memory: any CodeMemory
    ) -> RefusalReason? {
        for index in 0..<pages.count where address &- pages[index].address < StubPage.size {
            pages[index].take(address, stub.length)
        }
        let range = address..<address &+ UInt64(stub.length)
        let isWritten = memory.withWritable(range) { destination in
            for index in 0..<stub.length {
                destination.storeBytes(of: stub.bytes[index], toByteOffset: index, as: UInt8.self)
            }
        }
        guard isWritten else { return .memory }
        record.state = .patched
        record.shape = plan.shape
        record.stub = address
        record.stubLength = stub.length
        record.map = stub.map
        record.branchTarget = stub.branchTarget
        record.islandEnd = plan.padding.upperBound
        setBytes(&record, plan, text)
        // A trap that the first byte written causes must find the record.
        let index = table.add(record)
        table.addStub(index)
        if record.island.count > 0, !write(record.island, memory) { return withdraw(index) }
        guard write(record.patch, memory) else { return withdraw(index) }
        return nil
    }

    private func withdraw(_ index: Int) -> RefusalReason {
        table.retire(index)
        table.rebuild()
        return .memory
    }

    private func setBytes(_ record: inout SiteRecord, _ plan: SitePlan, _ text: SiteText) {
        let next = record.address &+ UInt64(bitPattern: Int64(plan.jump + plan.jumpLength))
        let displacement = UInt32(truncatingIfNeeded: record.stub &- next)
        var jump = PatchedBytes()
        var offset = plan.jump
        func append(_ byte: UInt8, traps: Bool = false) {
            jump.append(byte, over: text.bytes[text.site + offset], traps: traps)
            offset += 1
        }
        if plan.shape == .island {
            offset = plan.padding.lowerBound
            append(0xcc)
        }
        jump.address = text.address(of: text.site + offset - jump.count)
        for _ in 0..<plan.prefixes { append(0x2e) }
        append(0xe9)
        for index in 0..<4 {
            let shift = UInt32(index * 8)
            append(
                UInt8(truncatingIfNeeded: displacement >> shift),
                traps: (plan.fixedMask >> shift) & 0xff != 0
            )
        }
        guard plan.shape == .island else {
            record.patch = jump
            return
        }
        record.island = jump
        record.patch.address = record.address
        record.patch.append(0xeb, over: 0x0f, traps: false)
        record.patch.append(UInt8(truncatingIfNeeded: plan.jump - 2), over: 0x05, traps: false)
    }
}

extension Rewriter {
    /// Writes a patch so that a CPU which executes there meanwhile sees the old instruction, a
    /// trap that is continued in the stub, or the jump, but no mixture (Intel SDM volume 3,
    /// "Handling Self- and Cross-Modifying Code"): first 0xCC over every byte that begins an
    /// instruction, then the bytes between, the jump's first byte last.
    private func write(_ patch: PatchedBytes, _ memory: any CodeMemory) -> Bool {
        memory.withWritable(patch.range) { place in
            place.storeBytes(of: 0xcc, as: UInt8.self)
            for index in 1..<patch.count where patch.isTrap(index) {
                place.storeBytes(of: 0xcc, toByteOffset: index, as: UInt8.self)
            }
            memory.synchronizeInstructionFetch()
            for index in 1..<patch.count where !patch.isTrap(index) {
                place.storeBytes(of: patch.replacement(index), toByteOffset: index, as: UInt8.self)
            }
            memory.synchronizeInstructionFetch()
            place.storeBytes(of: patch.replacement(0), as: UInt8.self)
            memory.synchronizeInstructionFetch()
        }
    }

    /// The same in reverse: the bytes between become text again while all beginnings trap.
    func unwrite(_ patch: PatchedBytes, _ memory: any CodeMemory) -> Bool {
        guard patch.count > 0 else { return true }
        return memory.withWritable(patch.range) { place in
            place.storeBytes(of: 0xcc, as: UInt8.self)
            memory.synchronizeInstructionFetch()
            for index in 1..<patch.count where !patch.isTrap(index) {
                place.storeBytes(of: patch.original(index), toByteOffset: index, as: UInt8.self)
            }
            memory.synchronizeInstructionFetch()
            for index in 0..<patch.count where index == 0 || patch.isTrap(index) {
                place.storeBytes(of: patch.original(index), toByteOffset: index, as: UInt8.self)
            }
            memory.synchronizeInstructionFetch()
        }
    }
}
