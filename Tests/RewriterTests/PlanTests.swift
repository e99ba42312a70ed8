import Rewriter
import Testing

/// Every plan for every site of the samples, not only the best ones, against the truth.
@Suite struct PlanTests {
    @Test func plansRespectTheTrueBoundariesOfEverySite() throws {
        for program in SitedProgram.all {
            for site in program.boundaries.sites {
                let start = max(0, site - 96)
                let window = Array(program.text[start..<min(site + 160, program.text.count)])
                try window.withUnsafeBytes { bytes in
                    let text = try #require(
                        SiteText(
                            bytes: bytes,
                            site: site - start,
                            address: program.address + UInt64(start)
                        )
                    )
                    let plans = SitePlanner.plans(for: text, number: program.number(at: site))
                    for index in 0..<plans.count { check(plans[index], program, site) }
                }
            }
        }
    }

    private func check(_ plan: SitePlan, _ program: SitedProgram, _ site: Int) {
        let place = "\(program.name) \(String(program.address + UInt64(site), radix: 16)) \(plan)"
        #expect(program.boundaries.contains(site + plan.start), "start \(place)")
        #expect(program.boundaries.contains(site + plan.end), "end \(place)")
        #expect(plan.end >= plan.patched.upperBound || plan.shape == .island, "length \(place)")
        for offset in plan.jump + 1..<plan.jump + plan.jumpLength
        where program.boundaries.contains(site + offset) {
            // An `int3` in padding is nobody's target.
            if plan.shape == .island, program.text[site + offset] == 0xcc { continue }
            let index = offset - plan.jump - plan.prefixes - 1
            #expect(index >= 0, "prefix or opcode \(place)")
            guard index >= 0 else { continue }
            let shift = UInt32(index * 8)
            #expect((plan.fixedMask >> shift) & 0xff == 0xff, "mask \(place)")
            #expect((plan.fixedValue >> shift) & 0xff == 0xcc, "value \(place)")
        }
    }

    /// Sites are few: a `syscall` is put at many other places, and what is proved before it is held
    /// against the truth.
    @Test func whatIsProvedBeforeASiteIsTrueAnywhereInRealCode() throws {
        var generator = SeededGenerator(seed: 3)
        var preceding = 0
        for program in SitedProgram.all {
            for _ in 0..<6000 {
                let site = Int.random(in: 100..<program.text.count - 100, using: &generator)
                guard program.boundaries.contains(site) else { continue }
                var window = Array(program.text[site - 96..<site + 32])
                window.replaceSubrange(96..<98, with: [0x0f, 0x05])
                try window.withUnsafeBytes { bytes in
                    let text = try #require(SiteText(bytes: bytes, site: 96, address: 0x40_0000))
                    let plans = SitePlanner.plans(for: text, number: 0x4321)
                    for index in 0..<plans.count where plans[index].shape == .preceding {
                        preceding += 1
                        let address = String(program.address + UInt64(site), radix: 16)
                        #expect(
                            program.boundaries.contains(site + plans[index].start),
                            "\(program.name) \(address) \(plans[index])"
                        )
                    }
                }
            }
        }
        print("proof: \(preceding) plans with proved instructions")
        #expect(preceding > 1000)
    }

    @Test func aNumberThatTheMoveDoesNotLoadIsNotTrusted() throws {
        // … mov $39,%eax; syscall; ret, and int3 behind it.
        let code =
            filler(90) + [0xb8, 0x27, 0, 0, 0, 0x0f, 0x05, 0xc3]
            + [UInt8](repeating: 0xcc, count: 64)
        #expect(try plans(code, 95, 39).first?.shape == .moveNumber)
        #expect(try plans(code, 95, 40).allSatisfy { $0.shape != .moveNumber })
    }

    @Test func aREXPrefixedMoveLoadsAnotherRegister() throws {
        // mov $39,%r8d; syscall
        let code = filler(90) + [0x41, 0xb8, 0x27, 0, 0, 0, 0x0f, 0x05, 0xc3]
        #expect(try plans(code, 96, 39).allSatisfy { $0.shape != .moveNumber })
        // The same with nothing before it to prove anything.
        let alone: [UInt8] = [0x41, 0xb8, 0x27, 0, 0, 0, 0x0f, 0x05, 0xc3]
        #expect(try plans(alone, 6, 39).allSatisfy { $0.shape != .moveNumber })
    }

    @Test func instructionsBeforeTheSiteNeedAProof() throws {
        // mov 8(%rsp),%r9; syscall; ret: five bytes before, none to take behind.
        let code: [UInt8] = [0x4c, 0x8b, 0x4c, 0x24, 0x08, 0x0f, 0x05, 0xc3, 0x06]
        #expect(try plans(code, 5, 1).isEmpty)
        #expect(try plans(code, 5, 1, knownBoundary: 0).first?.start == -5)
        #expect(try plans(code, 5, 1, knownBoundary: 1).allSatisfy { $0.start != -5 })
        #expect(try plans(filler(90) + code, 95, 1).first?.start == -5)
    }

    @Test func aJumpInPaddingIsSecondChoice() throws {
        // ret; nopl 0(%rax,%rax,1); syscall, to which a branch from far away leads; mov %rax,%rdi; ret
        let code =
            filler(90) + [0xc3, 0x0f, 0x1f, 0x44, 0, 0, 0x0f, 0x05, 0x48, 0x89, 0xc7, 0xc3]
        let plans = try plans(code, 96, 0)
        #expect(plans.contains { $0.start == -5 })
        #expect(try #require(plans.first).patched.contains(0))
        // Dearer than any that costs a page of stubs, so that no page that is there makes it win.
        let best = try #require(plans.first { $0.patched.contains(0) })
        let padding = try #require(plans.first { !$0.patched.contains(0) })
        #expect(padding.cost >= best.cost + 10)
    }

    @Test func dataBehindAReturnIsNotTouched() throws {
        let code: [UInt8] = [0x0f, 0x05, 0xc3, 0x48, 0x89, 0xc3, 0x48, 0x89, 0xc3]
        #expect(try plans(code, 0, 1).isEmpty)
    }

    @Test func everyOddTextGivesAPlanOrNone() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 2...200, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let site = Int.random(in: 0...bytes.count - 2, using: &generator)
            bytes[site] = 0x0f
            bytes[site + 1] = 0x05
            bytes.withUnsafeBytes { buffer in
                guard let text = SiteText(bytes: buffer, site: site, address: 0x40_0000) else {
                    return
                }
                let plans = SitePlanner.plans(for: text, number: 1)
                for index in 0..<plans.count {
                    #expect(site + plans[index].start >= 0)
                    #expect(site + plans[index].end <= bytes.count)
                    #expect(site + plans[index].padding.upperBound <= bytes.count)
                }
            }
        }
    }

    private func plans(
        _ code: [UInt8],
        _ site: Int,
        _ number: UInt64,
        knownBoundary: Int? = nil
    ) throws -> [SitePlan] {
        try code.withUnsafeBytes { bytes in
            let text = try #require(
                SiteText(bytes: bytes, site: site, address: 0x40_0000, knownBoundary: knownBoundary)
            )
            let plans = SitePlanner.plans(for: text, number: number)
            return (0..<plans.count).map { plans[$0] }
        }
    }
}

/// `count` bytes of ordinary code: mov %rsi,%rdx three bytes at a time.
func filler(_ count: Int) -> [UInt8] {
    precondition(count % 3 == 0, "whole instructions")
    return (0..<count / 3).flatMap { _ in [0x48, 0x89, 0xf2] as [UInt8] }
}
