import Rewriter
import Testing

/// Which entry a stub goes to depends on whether anybody behind the site can see the flags.
@Suite struct FlagTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var code: [UInt8]
    }

    static let overwriting = [
        Case(testDescription: "cmp $-4095,%rax", code: [0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff]),
        Case(testDescription: "test %eax,%eax", code: [0x85, 0xc0]),
        Case(testDescription: "test $1,%al", code: [0xa8, 1]),
        Case(testDescription: "sub $1,%rbx", code: [0x48, 0x83, 0xeb, 0x01]),
        Case(testDescription: "xor %edx,%edx", code: [0x31, 0xd2]),
        Case(testDescription: "neg %eax", code: [0xf7, 0xd8]),
        Case(
            testDescription: "mov; lea; nop; cmp",
            code: [
                0x48, 0x89, 0xc2, 0x48, 0x8d, 0x0c, 0x10, 0x90, 0x39, 0xc8,
            ]
        ),
        Case(
            testDescription: "movzbl %al,%eax; mov $1,%edx; and",
            code: [
                0x0f, 0xb6, 0xc0, 0xba, 1, 0, 0, 0, 0x21, 0xd0,
            ]
        ),
    ]

    static let reading = [
        Case(testDescription: "ret", code: [0xc3]),
        Case(testDescription: "jc", code: [0x72, 0x02]),
        Case(testDescription: "adc %eax,%eax", code: [0x11, 0xc0]),
        Case(testDescription: "sbb $0,%eax", code: [0x83, 0xd8, 0]),
        Case(testDescription: "sbb $0,%al", code: [0x1c, 0]),
        Case(testDescription: "dec %ebx keeps CF", code: [0xff, 0xcb]),
        Case(testDescription: "not %eax keeps all", code: [0xf7, 0xd0]),
        Case(testDescription: "shl %eax keeps all for 0", code: [0xd3, 0xe0]),
        Case(testDescription: "mul leaves some undefined", code: [0xf7, 0xe2]),
        Case(testDescription: "pushf", code: [0x9c]),
        Case(testDescription: "setc %al", code: [0x0f, 0x92, 0xc0]),
        Case(testDescription: "cmovc", code: [0x0f, 0x42, 0xc2]),
        Case(testDescription: "cmp with memory, which may fault", code: [0x39, 0x03]),
        Case(testDescription: "mov from memory", code: [0x8b, 0x03, 0x39, 0xc8]),
        Case(testDescription: "lock cmp is undefined", code: [0xf0, 0x39, 0xc8]),
        Case(testDescription: "int3", code: [0xcc]),
        Case(testDescription: "jmp to a cmp", code: [0xeb, 0x00, 0x39, 0xc8]),
        Case(
            testDescription: "five moves",
            code: [
                0x89, 0xc0, 0x89, 0xc0, 0x89, 0xc0, 0x89, 0xc0, 0x89, 0xc0, 0x39, 0xc8,
            ]
        ),
        Case(testDescription: "the end of what is known", code: []),
    ]

    @Test(arguments: overwriting) func flagsThatAreOverwrittenAreLost(_ item: Case) throws {
        #expect(try entry(item.code) == testEntries.losingFlags)
    }

    @Test(arguments: reading) func flagsThatMayBeSeenAreKept(_ item: Case) throws {
        #expect(try entry(item.code) == testEntries.keepingFlags)
    }

    /// The entry that the stub of `mov $39,%eax; syscall` and of what follows jumps to.
    private func entry(_ after: [UInt8]) throws -> UInt64? {
        let (base, start) = (UInt64(0x40_1000), 120)
        let text = filler(start) + [0xb8, 39, 0, 0, 0, 0x0f, 0x05] + after
        let memory = FakeCodeMemory(text: text, at: base)
        let rewriter = Rewriter(entries: testEntries, windows: testWindows)
        let site = base + UInt64(start + 5)
        let outcome = rewriter.caught(site: site, number: 39, memory: memory)
        #expect(outcome == .patched(.moveNumber, returnAddress: site + 2))
        #expect(memory.text[start] == 0xe9)
        let stub = target(site - 5, memory.text[(start + 1)...])
        // mov $39,%eax; mov $return,%ecx; jmp
        let jump = memory.bytes(stub + 10, 5)
        #expect(jump.first == 0xe9)
        return target(stub + 10, jump.dropFirst())
    }

    private func target(_ jump: UInt64, _ displacement: some Sequence<UInt8>) -> UInt64 {
        let bytes = Array(displacement.prefix(4))
        let distance = bytes.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
        return jump &+ 5 &+ UInt64(bitPattern: Int64(distance))
    }
}
