import Rewriter
import Testing

/// Every site of the samples, patched in a copy of the text and read back.
@Suite struct RewriterTests {
    @Test func everyPatchKeepsBoundariesAndCopiesInstructions() {
        for program in SitedProgram.all {
            let memory = FakeCodeMemory(text: program.text, at: program.address)
            let rewriter = Rewriter(entries: testEntries, windows: testWindows)
            var counts: [String: Int] = [:]
            var rewritten = 0
            for site in program.boundaries.sites {
                let address = program.address + UInt64(site)
                let number = program.number(at: site)
                switch rewriter.caught(site: address, number: number, memory: memory) {
                case .patched(let shape, let back):
                    counts["\(shape)", default: 0] += 1
                    rewritten += 1
                    #expect(rewriter.siteAddress(forStubAddress: back) ?? back == address + 2)
                case .notRewritable(let reason): counts["not: \(reason)", default: 0] += 1
                case .already: Issue.record("\(program.name): caught for the first time")
                }
            }
            for site in program.boundaries.sites { check(program, site, rewriter, memory) }
            let landings = program.boundaries.sites.count {
                program.isLanding(memory.text, at: $0)
            }
            let list = counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            let sites = program.boundaries.sites.count
            print(
                "\(program.name): \(sites) sites, \(rewriter.pageCount) pages,",
                "\(landings) with a branch into the jump:",
                list.joined(separator: ", ")
            )
            #expect(rewritten * 10 >= sites * 9, "\(program.name)")
        }
    }

    @Test(.enabled(if: SitedProgram.all.contains { $0.name == "musl" }))
    func muslReadAndWriteGoThroughAStub() throws {
        let program = try #require(SitedProgram.all.first { $0.name == "musl" })
        // __syscall_cp_asm: mov %r11,8(%rsp); syscall; ret
        let tail: [UInt8] = [0x4c, 0x89, 0x5c, 0x24, 0x08, 0x0f, 0x05, 0xc3]
        let site = try #require(
            program.boundaries.sites.first { Array(program.text[$0 - 5..<$0 + 3]) == tail }
        )
        let address = program.address + UInt64(site)
        let memory = FakeCodeMemory(text: program.text, at: program.address)
        let rewriter = Rewriter(entries: testEntries, windows: testWindows)
        #expect(
            rewriter.caught(site: address, number: 0, memory: memory)
                == .patched(.preceding, returnAddress: address + 2)
        )
        // Cancellation compares the program counter with labels around the `syscall`.
        let call = try #require(rewriter.continuation(forTrapAt: address))
        #expect(rewriter.siteAddress(forStubAddress: call) == address)
        #expect(rewriter.siteAddress(forStubAddress: call - 1) == address - 5)
    }

    private func check(
        _ program: SitedProgram,
        _ site: Int,
        _ rewriter: Rewriter,
        _ memory: FakeCodeMemory
    ) {
        // What was overwritten around the site, and begins an instruction.
        for offset in max(0, site - 24)..<min(site + 24, program.text.count)
        where program.boundaries.contains(offset) && memory.text[offset] != program.text[offset] {
            let address = program.address + UInt64(offset)
            let byte = memory.text[offset]
            let isJump = byte == 0xe9 || byte == 0xeb || byte == 0x2e
            let isTrap = program.text[offset] == 0xcc
            #expect(
                byte == 0xcc || isJump || isTrap,
                "\(program.name) \(String(address, radix: 16)): \(byte)"
            )
            guard !isTrap else { continue }
            guard let copy = rewriter.continuation(forTrapAt: address) else {
                Issue.record("\(program.name) \(String(address, radix: 16)): no continuation")
                continue
            }
            guard rewriter.isStub(copy) else { continue }
            // Fillers behind a `ret` share the jump to what follows them.
            let shown = rewriter.siteAddress(forStubAddress: copy)
            #expect(shown == address || isFiller(program, offset, until: shown))
            compare(program, offset, copy, memory)
            if isJump, byte != 0xeb { #expect(target(address, memory) == copy) }
        }
    }

    private func isFiller(
        _ program: SitedProgram,
        _ offset: Int,
        until end: UInt64?
    ) -> Bool {
        guard let end, end >= program.address else { return false }
        return program.text.withUnsafeBytes { bytes in
            var cursor = offset
            while program.address + UInt64(cursor) < end {
                guard let filler = InstructionDecoder.decode(bytes, at: cursor), filler.isPadding
                else { return false }
                cursor += Int(filler.length)
            }
            return true
        }
    }

    /// Where the jump at `address` leads, its prefixes skipped.
    private func target(_ address: UInt64, _ memory: FakeCodeMemory) -> UInt64? {
        let bytes = memory.bytes(address, 8)
        guard let opcode = bytes.firstIndex(of: 0xe9), opcode <= 2 else { return nil }
        let displacement = bytes.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: opcode + 1, as: Int32.self)
        }
        return address &+ UInt64(opcode + 5) &+ UInt64(bitPattern: Int64(displacement))
    }

    /// The copy does what the original at `offset` does.
    private func compare(
        _ program: SitedProgram,
        _ offset: Int,
        _ copy: UInt64,
        _ memory: FakeCodeMemory
    ) {
        let original = Decoded(
            Array(program.text[offset...].prefix(16)),
            program.address + UInt64(offset)
        )
        let copied = Decoded(memory.bytes(copy, 16), copy)
        let place = "\(program.name) \(String(program.address + UInt64(offset), radix: 16))"
        guard let original, let copied else {
            Issue.record("\(place): undecodable")
            return
        }
        switch original.instruction.flow {
        case .systemCall:
            // mov $…,%ecx or lea …(%rip),%rcx
            #expect(
                copied.bytes.first == 0xb9 || copied.bytes.prefix(3) == [0x48, 0x8d, 0x0d],
                "\(place)"
            )
        case .call:
            #expect(copied.bytes.prefix(4) == [0xc7, 0x44, 0x24, 0xf8], "\(place)")
        case .jump, .conditionalBranch:
            #expect(copied.instruction.flow == original.instruction.flow, "\(place)")
            #expect(
                copied.instruction.opcode & 0xf == original.instruction.opcode & 0xf
                    || original.instruction.flow == .jump,
                "\(place)"
            )
            if !(0x7000_0000..<0x8000_0000).contains(copied.target ?? 0) {
                #expect(copied.target == original.target, "\(place)")
            }
        case _ where original.instruction.ripDisplacementOffset != 0:
            #expect(copied.target == original.target, "\(place)")
            #expect(copied.withoutDisplacement == original.withoutDisplacement, "\(place)")
        case _ where original.instruction.isPadding: break
        default: #expect(copied.bytes == original.bytes, "\(place)")
        }
    }
}

/// An instruction with its bytes and the address that it refers to.
private struct Decoded {
    var instruction: Instruction
    var bytes: [UInt8]
    var target: UInt64?
    var withoutDisplacement: [UInt8]

    init?(_ window: [UInt8], _ address: UInt64) {
        guard let found = window.withUnsafeBytes({ InstructionDecoder.decode($0, at: 0) }) else {
            return nil
        }
        instruction = found
        bytes = Array(window[..<Int(found.length)])
        withoutDisplacement = bytes
        let end = address &+ UInt64(found.length)
        if found.branchSize == 1 {
            target = end &+ UInt64(bitPattern: Int64(Int8(bitPattern: bytes[bytes.count - 1])))
            return
        }
        let position = found.branchSize == 4 ? bytes.count - 4 : Int(found.ripDisplacementOffset)
        guard position != 0 else { return }
        let displacement = bytes.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: position, as: Int32.self)
        }
        target = end &+ UInt64(bitPattern: Int64(displacement))
        withoutDisplacement.replaceSubrange(position..<position + 4, with: [])
    }
}
