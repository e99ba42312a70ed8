import Rewriter
import Testing

/// What the rewriter remembers, forgets and refuses.
@Suite struct LifetimeTests {
    private let base: UInt64 = 0x40_0000
    /// filler; mov $39,%eax; syscall; ret
    private let code =
        filler(120) + [0xb8, 0x27, 0, 0, 0, 0x0f, 0x05, 0xc3]
        + [UInt8](repeating: 0x06, count: 200)
    private var site: UInt64 { base + 125 }

    private func make(
        _ code: [UInt8]? = nil
    ) -> (rewriter: Rewriter, memory: FakeCodeMemory) {
        (
            Rewriter(entries: testEntries, windows: testWindows),
            FakeCodeMemory(text: code ?? self.code, at: base)
        )
    }

    @Test func aSiteCaughtAgainIsCountedAndNotPatchedTwice() {
        let (rewriter, memory) = make()
        let first = rewriter.caught(site: site, number: 39, memory: memory)
        #expect(first == .patched(.moveNumber, returnAddress: site + 2))
        let patched = memory.text
        let second = rewriter.caught(site: site, number: 39, memory: memory)
        #expect(second == .already(returnAddress: site + 2))
        #expect(memory.text == patched)
        #expect(rewriter.report(0)?.traps == 2)
        #expect(rewriter.pageCount == 1)
    }

    @Test func refusalsAreRememberedWithTheirReason() {
        let (rewriter, memory) = make([0x0f, 0x05, 0xc3, 0x48, 0x89, 0xc3])
        for traps in 1...3 as ClosedRange<UInt64> {
            let outcome = rewriter.caught(site: base, number: 1, memory: memory)
            #expect(outcome == .notRewritable(.noShape))
            #expect(rewriter.report(0)?.traps == traps)
        }
        #expect(memory.pages.isEmpty)
        let elsewhere = rewriter.caught(site: 0x9999_0000, number: 1, memory: memory)
        #expect(elsewhere == .notRewritable(.notPatchableText))
        #expect(rewriter.reportCount == 2)
    }

    @Test func whatIsNoSystemCallIsNotTouched() {
        let (rewriter, memory) = make()
        let outcome = rewriter.caught(site: base, number: 1, memory: memory)
        #expect(outcome == .notRewritable(.notSystemCall))
        #expect(rewriter.reportCount == 0)
    }

    @Test func theSignalReturnSequenceKeepsItsBytes() {
        let code = filler(120) + [0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x1f, 0x40, 0]
        let (rewriter, memory) = make(code)
        let outcome = rewriter.caught(site: base + 127, number: 15, memory: memory)
        #expect(outcome == .notRewritable(.signalReturn))
        #expect(memory.text == code)
    }

    @Test func aSiteThatIsExpectedIsPatchedBeforeItIsCaught() {
        let (rewriter, memory) = make()
        rewriter.expect(site: site, number: 39, memory: memory)
        #expect(memory.text != code)
        #expect(rewriter.report(0)?.traps == 0)
        let outcome = rewriter.caught(site: site, number: 39, memory: memory)
        #expect(outcome == .already(returnAddress: site + 2))
        #expect(rewriter.reportCount == 1)
    }

    @Test func whatIsExpectedAndIsNoSystemCallStaysAsItIs() {
        let (rewriter, memory) = make()
        for address in base..<base + UInt64(code.count) where address != site {
            rewriter.expect(site: address, number: 39, memory: memory)
        }
        rewriter.expect(site: 0, number: 39, memory: memory)
        rewriter.expect(site: .max, number: 39, memory: memory)
        #expect(memory.text == code)
        #expect(rewriter.reportCount == 0)
    }

    @Test func whatWasProvedOnceIsNotProvedAgain() throws {
        // mov 8(%rsp),%r9; syscall; ret, and nothing before it that would prove the first.
        let bare: [UInt8] = [0x4c, 0x8b, 0x4c, 0x24, 0x08, 0x0f, 0x05, 0xc3, 0x06]
        let (proving, whole) = make(filler(90) + bare)
        _ = proving.caught(site: base + 95, number: 1, memory: whole)
        let proved = try #require(proving.report(0))
        #expect(proved.isProved)
        let boundary = try #require(proved.boundary)
        #expect(boundary >= 5)
        let (told, memory) = make(bare)
        told.expect(site: base + 5, number: 1, boundary: 5, memory: memory)
        let report = try #require(told.report(0))
        #expect(!report.isProved)
        #expect(memory.text.first == 0xe9)
    }

    @Test func aBoundaryThatDoesNotLeadToTheSiteCountsForNothing() {
        let bare: [UInt8] = [0x4c, 0x8b, 0x4c, 0x24, 0x08, 0x0f, 0x05, 0xc3, 0x06]
        for boundary in [0, 1, 6, 31, 1000, Int.max] {
            let (rewriter, memory) = make(bare)
            rewriter.expect(site: base + 5, number: 1, boundary: boundary, memory: memory)
            #expect(memory.text == bare, "\(boundary)")
        }
    }

    @Test func anExpectedSignalReturnBecomesAJump() {
        let code = filler(120) + [0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x1f, 0x40, 0]
        let (rewriter, memory) = make(code)
        rewriter.expect(site: base + 127, number: 15, memory: memory)
        #expect(memory.text[120] == 0xe9)
        #expect(memory.text[127...] == code[127...])
        #expect(rewriter.continuation(forTrapAt: base + 127) != nil)
    }

    @Test func textThatCannotBeWrittenIsRefused() {
        let (rewriter, memory) = make()
        memory.isWritable = false
        let outcome = rewriter.caught(site: site, number: 39, memory: memory)
        #expect(outcome == .notRewritable(.memory))
        #expect(memory.text == code)
        #expect(rewriter.continuation(forTrapAt: site - 5) == nil)
    }

    @Test func windowsWithoutRoomRefuseTheSite() {
        let (rewriter, memory) = make()
        memory.occupied.append(0x7000_0000..<0x8000_0000)
        let outcome = rewriter.caught(site: site, number: 39, memory: memory)
        #expect(outcome == .notRewritable(.noStubAddress))
    }

    @Test func stubsOfForgottenTextStillTellTheirSite() throws {
        let (rewriter, memory) = make()
        _ = rewriter.caught(site: site, number: 39, memory: memory)
        let call = try #require(rewriter.continuation(forTrapAt: site))
        rewriter.forget(base..<base + 4096)
        // A thread may be asleep in it.
        #expect(rewriter.siteAddress(forStubAddress: call) == site)
        #expect(rewriter.continuation(forTrapAt: site - 5) == nil)
        // The same place is text again: it gets a stub beside the old one.
        let fresh = FakeCodeMemory(text: code, at: base)
        _ = fresh.mapStubPage(at: rewriter.pageAddress(0))
        let outcome = rewriter.caught(site: site, number: 39, memory: fresh)
        #expect(outcome == .patched(.moveNumber, returnAddress: site + 2))
        #expect(rewriter.continuation(forTrapAt: site) != call)
        #expect(rewriter.pageCount == 1)
    }

    @Test func restoringGivesTheTextBack() {
        let (rewriter, memory) = make()
        _ = rewriter.caught(site: site, number: 39, memory: memory)
        #expect(memory.text != code)
        #expect(rewriter.restore(site..<site + 1, memory: memory))
        #expect(memory.text == code)
        #expect(rewriter.report(0) == nil)
    }

    @Test func restoringEveryPatchOfAProgramGivesItsTextBack() {
        for program in SitedProgram.all {
            let memory = FakeCodeMemory(text: program.text, at: program.address)
            let rewriter = Rewriter(entries: testEntries, windows: testWindows)
            for site in program.boundaries.sites {
                let address = program.address + UInt64(site)
                _ = rewriter.caught(
                    site: address,
                    number: program.number(at: site),
                    memory: memory
                )
            }
            #expect(memory.text != program.text)
            #expect(rewriter.restore(memory.range, memory: memory))
            #expect(memory.text == program.text)
        }
    }

    @Test func resetForgetsPagesAndSites() {
        let (rewriter, memory) = make()
        _ = rewriter.caught(site: site, number: 39, memory: memory)
        rewriter.reset()
        #expect(rewriter.pageCount == 0)
        #expect(rewriter.reportCount == 0)
        let next = FakeCodeMemory(text: code, at: base)
        let outcome = rewriter.caught(site: site, number: 39, memory: next)
        #expect(outcome == .patched(.moveNumber, returnAddress: site + 2))
    }

    @Test func aDuplicateGoesItsOwnWay() {
        let (rewriter, memory) = make()
        _ = rewriter.caught(site: site, number: 39, memory: memory)
        let child = rewriter.duplicate()
        rewriter.reset()
        #expect(child.continuation(forTrapAt: site) != nil)
        #expect(child.pageCount == 1)
        #expect(rewriter.continuation(forTrapAt: site) == nil)
    }

    @Test func manySitesAreFoundAgainAndTheTableHasAnEnd() {
        // Sites that nothing can move: refused, remembered, up to the limit.
        let unit: [UInt8] = [0x0f, 0x05, 0xc3, 0x06, 0x06, 0x06, 0x06, 0x06]
        let count = 5000
        let (rewriter, memory) = make((0..<count).flatMap { _ in unit })
        var full = 0
        for index in 0..<count {
            let address = base + UInt64(index * 8)
            let outcome = rewriter.caught(site: address, number: 1, memory: memory)
            if outcome == .notRewritable(.tableFull) { full += 1 }
        }
        #expect(full == count - 4096)
        #expect(rewriter.uncountedTraps == UInt64(full))
        _ = rewriter.caught(site: base + 8, number: 1, memory: memory)
        #expect(rewriter.report(1)?.traps == 2)
        rewriter.forget(base..<base + 8)
        let last = base + UInt64((count - 1) * 8)
        let outcome = rewriter.caught(site: last, number: 1, memory: memory)
        #expect(outcome == .notRewritable(.noShape))
    }

    @Test func otherProcessorsSeeTheOldTextATrapOrTheJump() {
        let (rewriter, memory) = make(filler(120) + [0x0f, 0x05, 0x48, 0x89, 0xc2, 0xc3])
        memory.recordsSnapshots = true
        let site = base + 120
        _ = rewriter.caught(site: site, number: 1, memory: memory)
        let steps = memory.snapshots
        #expect(steps.count == 3)
        for (index, text) in steps.enumerated() where index < 2 {
            // The first bytes that changed, at boundaries: all of them trap.
            let changed = text.indices.filter { text[$0] != memory.original[$0] }
            #expect(text[changed[0]] == 0xcc)
            if index == 0 { #expect(changed.allSatisfy { text[$0] == 0xcc }) }
        }
        let last = steps[2]
        #expect(last == memory.text)
        let differing = last.indices.filter { last[$0] != steps[1][$0] }
        #expect(differing.count == 1)
    }
}
